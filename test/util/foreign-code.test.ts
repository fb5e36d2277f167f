import { stat } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';

type ForeignCode = typeof import('../../src/util/foreign-code.js');

let foreignCode: ForeignCode;

beforeEach(async () => {
    vi.resetModules();
    foreignCode = await import('../../src/util/foreign-code.js');
    // Functions that only compute are not tracked; the first one that does more is.
    const { callForeign, ForeignCall } = foreignCode;
    for (let n = 0; n < 3; n += 1) expect(callForeign(new ForeignCall(), () => n)).toBe(n);
});

const BEGINNINGS: readonly (readonly [string, (later: () => void) => unknown])[] = [
    ['a promise', (later) => void Promise.resolve().then(later)],
    ['an async function', (later) => (async () => later())()],
    [
        'an await',
        async (later) => {
            await Promise.resolve();
            later();
        },
    ],
    ['a timer', (later) => setTimeout(later, 1)],
    [
        'an interval',
        (later) => {
            const timer = setInterval(() => {
                clearInterval(timer);
                later();
            }, 1);
        },
    ],
    ['a turn', (later) => setImmediate(later)],
    ['a tick', (later) => process.nextTick(later)],
    ['a microtask', (later) => queueMicrotask(later)],
    ['a request', (later) => stat('.', later)],
    ['an import', (later) => void import('node:path').then(later)],
];

test.each(BEGINNINGS)('what goes wrong later, in %s, belongs to the call that began it', async (_, begin) => {
    const { bookStrayError, callForeign, ForeignCall } = foreignCode;
    const [first, second] = [new ForeignCall(), new ForeignCall()];
    const booked = new Promise<boolean>((resolve) => {
        callForeign(first, () => begin(() => resolve(bookStrayError(new Error('late')))));
    });
    callForeign(second, () => 0);
    expect(await booked).toBe(true);
    expect([first.stray?.error, second.stray]).toEqual([new Error('late'), null]);
});

test('an error after a call that has begun nothing is not its own', async () => {
    const { bookStrayError, callForeign, ForeignCall } = foreignCode;
    const call = new ForeignCall();
    callForeign(call, () => 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect([bookStrayError(new Error('ours')), call.stray]).toEqual([false, null]);
});

test('a throw is the answer of the call, and the next one is followed all the same', async () => {
    const { bookStrayError, callForeign, ForeignCall } = foreignCode;
    const fail = (): never => {
        throw new Error('at once');
    };
    expect(() => callForeign(new ForeignCall(), fail)).toThrow('at once');
    const call = new ForeignCall();
    await new Promise<void>((resolve) => {
        callForeign(call, () => setTimeout(() => resolve(void bookStrayError(new Error('late'))), 1));
    });
    expect(call.stray?.error).toEqual(new Error('late'));
});
