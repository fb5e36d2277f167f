import { runInNewContext } from 'node:vm';

/**
 * Calls a function that may run too long, such as one that tries a user's pattern, and terminates it in time.
 * @param ms most milliseconds that it may take
 * @throws Error when its time is over, and whatever it throws
 */
export function callWithin<T>(ms: number, call: () => T): T {
    let value: { readonly result: T } | null = null;
    const run = (): void => {
        value = { result: call() };
    };
    try {
        runInNewContext('run()', { run }, { timeout: ms });
    } catch (error) {
        // Errors of another context are not instances of our `Error`.
        if (error instanceof Error) throw error;
        throw new Error(`not done within ${ms} ms`, { cause: error });
    }
    const done = value as { readonly result: T } | null;
    if (done === null) throw new Error('bug in resume-run: a call without an end');
    return done.result;
}
