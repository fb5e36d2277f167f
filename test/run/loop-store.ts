import { expect } from 'vitest';
import { SampleContent } from '../../src/checkpoint/result-file/sample-content.js';
import type { CheckpointStore, SampleWriter } from '../../src/checkpoint/store.js';
import type { Checkpoint, SampleState } from '../../src/model/checkpoint.js';
import type { Entry } from '../../src/model/entry.js';
import { keyOf, STAMP } from './loop-script.js';

interface Deferred<T> {
    readonly promise: Promise<T>;
    readonly resolve: (value: T) => void;
    readonly reject: (error: Error) => void;
}

/** A promise that is settled from outside (`Promise.withResolvers` of later versions of Node). */
export function deferred<T>(): Deferred<T> {
    let settle: Omit<Deferred<T>, 'promise'> | undefined;
    const promise = new Promise<T>((resolve, reject) => {
        settle = { resolve, reject };
    });
    if (settle === undefined) throw new Error('a promise calls its executor at once');
    return { promise, ...settle };
}

/** A change on its way to disk. */
export interface Save {
    readonly sample: string;
    readonly settle: (error: Error | null) => void;
    /** A flush or a close is waiting for it. */
    isAsked: boolean;
}

/** The disk of a scripted run: a change reaches it, or fails to, when a test says so. */
export class ScriptedStore {
    readonly saves: Save[] = [];
    /** What is on disk, by task, including entries of earlier starts. */
    readonly disk = new Map<string, Entry>();
    readonly givenUp = new Set<string>();
    /** Unsuspected verdicts from the backend whose writing was not made to fail. */
    readonly verdicts = new Set<string>();
    /** Samples that were opened, and those closed since. */
    readonly open = new Set<string>();
    readonly closed = new Set<string>();
    /** The error with which closing a sample fails. */
    closeError: Error | null = null;
    readonly #checkpoints: ReadonlyMap<string, Checkpoint>;
    #full: { readonly freed: Promise<void>; readonly free: () => void } | null = null;

    /** @param checkpoints what an earlier start left, by sample */
    constructor(checkpoints: ReadonlyMap<string, Checkpoint>) {
        this.#checkpoints = checkpoints;
    }

    get isFull(): boolean {
        return this.#full !== null;
    }

    /** Accepts no more results until `free` is called. */
    fill(): void {
        if (this.#full !== null) return;
        const { promise, resolve } = deferred<void>();
        this.#full = { freed: promise, free: resolve };
    }

    free(): void {
        const full = this.#full;
        this.#full = null;
        full?.free();
    }

    /** Ends the writing of a change; with an error, it did not reach the disk. */
    settle(save: Save, error: Error | null): void {
        this.saves.splice(this.saves.indexOf(save), 1);
        save.settle(error);
    }

    /** The store as the loop sees it. */
    forLoop(): CheckpointStore {
        return {
            read: async (id) => this.#checkpoints.get(id) ?? null,
            isEmpty: () => Promise.resolve(true),
            stamp: () => null,
            open: (state) => this.#writer(state),
            room: () => this.#full?.freed ?? null,
            hurry: () => {
                for (const save of this.saves) save.isAsked = true;
            },
            flush: () => {
                for (const save of this.saves) save.isAsked = true;
                return Promise.resolve();
            },
            close: async () => {},
        };
    }

    #writer(state: SampleState): SampleWriter {
        const { id } = state;
        const content = new SampleContent(state);
        expect(this.open.has(id), `${id} opened twice`).toBe(false);
        this.open.add(id);
        const unsettled: Promise<void>[] = [];
        const save = (onDisk: () => void): Promise<void> => {
            expect(this.closed.has(id), `${id} written to after it was closed`).toBe(false);
            const { promise, resolve, reject } = deferred<void>();
            const settle = (error: Error | null): void => {
                if (error !== null) return reject(error);
                onDisk();
                return resolve();
            };
            this.saves.push({ sample: id, settle, isAsked: false });
            unsettled.push(promise.catch(() => undefined));
            return promise;
        };
        return {
            commit: (group, finished) => {
                const { entry } = content.commit(group, finished);
                const key = keyOf({ sample: id, group, index: entry.index });
                return save(() => this.disk.set(key, entry)).then(
                    () => entry,
                    (error: unknown) => {
                        this.verdicts.delete(key);
                        throw error;
                    },
                );
            },
            note: (kind, noted) => {
                const { task } = content.note(kind, noted);
                const key = keyOf({ sample: id, ...noted });
                return save(() => {
                    if (kind === 'failures') this.givenUp.add(key);
                }).then(() => task);
            },
            setComputedLimits: (limits) => {
                content.setComputedLimits(limits);
                return save(() => {});
            },
            computedLimits: null,
            getEntries: (group) => content.getEntries(group),
            tally: () => content.tally(),
            close: async () => {
                for (const one of this.saves) if (one.sample === id) one.isAsked = true;
                await Promise.all(unsettled);
                expect(this.closed.has(id), `${id} closed twice`).toBe(false);
                this.closed.add(id);
                if (this.closeError !== null) throw this.closeError;
                return STAMP;
            },
        };
    }
}
