/**
 * What `work` comes to, or a rejection with the signal's reason as soon as it is aborted. The work itself goes on: only for
 * what may be abandoned.
 */
export async function waitUntilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal === undefined) return await work;
    // Nobody is told how abandoned work ends. From the beginning: work that is abandoned at once may fail later too.
    work.catch(() => undefined);
    signal.throwIfAborted();
    let stop = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason as Error);
        signal.addEventListener('abort', stop, { once: true });
    });
    try {
        return await Promise.race([work, aborted]);
    } finally {
        signal.removeEventListener('abort', stop);
    }
}
