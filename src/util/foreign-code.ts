import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/*
 * What surrounds code that is not ours: a module, and whatever it imports.
 */

/** A call of foreign code, to which errors that nobody handled belong. */
export class ForeignCall {
    #stray: { readonly error: unknown } | null = null;
    #onStray: (error: unknown) => void = () => {};

    /** @param listener called with every error that the call leaves unhandled; maybe never */
    onStray(listener: (error: unknown) => void): void {
        this.#onStray = listener;
        if (this.#stray !== null) listener(this.#stray.error);
    }

    /** The first error that it left unhandled: a promise rejected unheard, or a throw in a callback. */
    get stray(): { readonly error: unknown } | null {
        return this.#stray;
    }

    note(error: unknown): void {
        this.#stray ??= { error };
        this.#onStray(error);
    }
}

const current = new AsyncLocalStorage<ForeignCall>();

/** From Node 24 on contexts are kept by the engine. Before, following one costs every promise of the process, ours too. */
const KEPT_BY_ENGINE = 24;

/** Whether calls are followed beyond their return: from the first one on that began something which outlives it. */
let areFollowed = Number.parseInt(process.versions.node, 10) >= KEPT_BY_ENGINE;

let hasBegun = false;
/** Hears of every promise, timer and request that is made while it is enabled. */
const beginnings = createHook({
    init: () => {
        hasBegun = true;
    },
});

/** Calls foreign code so that what it starts, however much later it fails, is known to be its own. */
export function callForeign<Result>(call: ForeignCall, run: () => Result): Result {
    if (areFollowed) return current.run(call, run);
    hasBegun = false;
    beginnings.enable();
    try {
        return current.run(call, run);
    } finally {
        beginnings.disable();
        // A function that only computes has left nothing behind that could fail later: a tenth of what its task costs.
        if (hasBegun) areFollowed = true;
        else current.disable();
    }
}

/**
 * For a listener of `uncaughtException`, which hears of rejections too: books the error on the call that caused it.
 * @returns false if no foreign call did: it is a bug of ours, or of code that ran while a module was loaded
 */
export function bookStrayError(error: unknown): boolean {
    const call = current.getStore();
    call?.note(error);
    return call !== undefined;
}

/** For a worker: stray errors are booked on their task; any other one ends the worker, as it would anyway. */
export function watchStrayErrors(): void {
    const listener = (error: unknown): void => {
        if (bookStrayError(error)) return;
        process.off('uncaughtException', listener);
        setImmediate(() => {
            throw error;
        });
    };
    process.on('uncaughtException', listener);
}

/** From now on what is printed to stdout in this thread goes to stderr: stdout belongs to the report, which may be JSON. */
export function divertStdout(): void {
    process.stdout.write = process.stderr.write.bind(process.stderr);
}
