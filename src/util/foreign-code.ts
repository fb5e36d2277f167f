import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/*
 * Wraps calls to foreign code: a user's module and whatever it imports.
 */

/** A call of foreign code, which owns the errors that nothing in it handled. */
export class ForeignCall {
    #stray: { readonly error: unknown } | null = null;
    #onStray: (error: unknown) => void = () => {};

    /** @param listener called with every error that the call leaves unhandled, possibly never */
    onStray(listener: (error: unknown) => void): void {
        this.#onStray = listener;
        if (this.#stray !== null) listener(this.#stray.error);
    }

    /** The first error left unhandled: a rejected promise without a handler, or a throw in a callback. */
    get stray(): { readonly error: unknown } | null {
        return this.#stray;
    }

    note(error: unknown): void {
        this.#stray ??= { error };
        this.#onStray(error);
    }
}

const current = new AsyncLocalStorage<ForeignCall>();

/** From Node 24 on, the engine tracks contexts. Before, tracking one slows down every promise of the process, ours included. */
const KEPT_BY_ENGINE = 24;

/** Whether calls are tracked beyond their return: from the first call on that began something which outlives it. */
let areFollowed = Number.parseInt(process.versions.node, 10) >= KEPT_BY_ENGINE;

let hasBegun = false;
/** Notices every promise, timer and request created while it is enabled. */
const beginnings = createHook({
    init: () => {
        hasBegun = true;
    },
});

/** Calls foreign code so that errors of anything it starts, however late, are attributed to it. */
export function callForeign<Result>(call: ForeignCall, run: () => Result): Result {
    if (areFollowed) return current.run(call, run);
    hasBegun = false;
    beginnings.enable();
    try {
        return current.run(call, run);
    } finally {
        beginnings.disable();
        // A function that only computes leaves nothing behind that could fail later; tracking would cost a tenth of its task.
        if (hasBegun) areFollowed = true;
        else current.disable();
    }
}

/**
 * For a listener of `uncaughtException`, which also receives rejections: attributes the error to the call that caused it.
 * @returns false if no foreign call did: it is a bug of ours, or of code that ran while a module was loaded
 */
export function bookStrayError(error: unknown): boolean {
    const call = current.getStore();
    call?.note(error);
    return call !== undefined;
}

/** For a worker: stray errors are attributed to their task; any other ends the worker, as it would anyway. */
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

/** From now on, stdout of this thread is redirected to stderr: stdout belongs to the report, which may be JSON. */
export function divertStdout(): void {
    process.stdout.write = process.stderr.write.bind(process.stderr);
}
