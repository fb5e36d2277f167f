import { describe, expect, it } from 'vitest';
import { SyncWhileQuick } from '../../src/host/sync-while-quick.js';

/** Takes as long as a call on a busy disk. */
function waitLong(): void {
    const end = performance.now() + 12;
    while (performance.now() < end);
}

const LATER = 'later';
const later = (): Promise<string> => Promise.resolve(LATER);

describe('small file calls', () => {
    it('are made at once, and through the thread pool for a while after a slow one', async () => {
        const pace = new SyncWhileQuick();
        expect(pace.call(() => 'now', later)).toBe('now');
        const slow = pace.call(() => {
            waitLong();
            return 'slow';
        }, later);
        expect(slow).toBe('slow');
        for (let call = 0; call < 100; call += 1)
            expect(await pace.call(() => 'now', later), `call ${call}`).toBe(LATER);
        expect(pace.call(() => 'now', later)).toBe('now');
    });

    it('are slow whether they succeed or fail', async () => {
        const pace = new SyncWhileQuick();
        const fail = (): string => {
            waitLong();
            throw new Error('the disk');
        };
        expect(() => pace.call(fail, later)).toThrow('the disk');
        expect(await pace.call(() => 'now', later)).toBe(LATER);
    });
});
