/** Part of a URL with its percent-encoding undone. One with a bare `%` (`100%`) was never encoded and stays unchanged. */
export function decodePercent(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}
