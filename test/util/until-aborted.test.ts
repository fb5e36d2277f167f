import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { waitUntilAborted } from '../../src/util/until-aborted.js';

describe('waiting for work until a signal is aborted', () => {
    it('gives what the work comes to', async () => {
        const { signal } = new AbortController();
        await expect(waitUntilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
        await expect(waitUntilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    });

    // A signal during the acquisition of the directory once made the plan, abandoned later, look like a bug: exit 70.
    it.each(['before', 'while'])(
        'leaves no rejection to anybody when it was aborted %s it waited',
        async (when) => {
            const controller = new AbortController();
            const unhandled: unknown[] = [];
            const note = (error: unknown): void => void unhandled.push(error);
            process.on('unhandledRejection', note);
            try {
                let fail: (error: Error) => void = () => undefined;
                const work = new Promise<never>((_, reject) => {
                    fail = reject;
                });
                if (when === 'before') controller.abort();
                const waiting = waitUntilAborted(work, controller.signal);
                if (when === 'while') controller.abort();
                await expect(waiting).rejects.toBe(controller.signal.reason);
                fail(new Error('too late'));
                await nextTurn();
                await nextTurn();
            } finally {
                process.off('unhandledRejection', note);
            }
            expect(unhandled).toEqual([]);
        },
    );
});
