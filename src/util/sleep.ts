/** Waits. @param ms milliseconds @returns false if `signal` ended the wait early */
export function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
        if (signal.aborted) return resolve(false);
        const end = (whole: boolean) => {
            clearTimeout(timer);
            signal.removeEventListener('abort', stop);
            resolve(whole);
        };
        const stop = () => end(false);
        const timer = setTimeout(() => end(true), ms);
        signal.addEventListener('abort', stop, { once: true });
    });
}
