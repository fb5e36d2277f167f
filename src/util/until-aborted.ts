/**
 * The outcome of `work`, or a rejection with the signal's reason as soon as that is aborted. The work itself goes on: use this
 * only for work that may be abandoned.
 */
export async function waitUntilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal === undefined) return await work;
    // A rejection of abandoned work must not count as unhandled. Attached first, since even work abandoned at once may fail
    // later.
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
