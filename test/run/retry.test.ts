import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/model/failure.js';
import type { Outcome, Suspicion } from '../../src/model/task.js';
import { backOff, confirmOnceMore, decide, type Tried } from '../../src/run/retry.js';

const RETRY_DELAY = { first: 0.5, most: 30 };
const POLICY = { retries: 2, retryDelay: RETRY_DELAY, tleRetries: 1 };
const NEVER: Tried = { failures: 0, confirmations: {} };
const BY = { api_used: 'local' };

const verdict = (suspect: Suspicion | null): Outcome => ({
    kind: 'verdict',
    verdict: 'TimeLimitExceeded',
    result: { accepted: false, verdict: 'TimeLimitExceeded', tests: [] },
    suspect,
    by: BY,
});

const failure = (reason: 'sandbox' | 'refused'): Outcome => {
    const what: Failure =
        reason === 'sandbox'
            ? { reason, message: 'broken' }
            : { reason, message: 'no', endpoint: 'http://127.0.0.1', status: 401 };
    return { kind: 'failure', failure: what, by: BY };
};

describe('decide', () => {
    it('commits a verdict that nobody doubts', () => {
        expect(decide(verdict(null), NEVER, POLICY, false).do).toBe('commit');
    });

    it.each(['near-time', 'signal', 'no-output', 'first-timeout'] as const)(
        'confirms %s once, then believes it',
        (suspicion) => {
            expect(decide(verdict(suspicion), NEVER, POLICY, false)).toMatchObject({
                do: 'confirm',
                suspicion,
            });
            const once = confirmOnceMore(NEVER, suspicion);
            expect(decide(verdict(suspicion), once, POLICY, false).do).toBe('commit');
        },
    );

    it('confirms a second doubt of another kind', () => {
        const once = confirmOnceMore(NEVER, 'near-time');
        expect(decide(verdict('signal'), once, POLICY, false).do).toBe('confirm');
        const both = confirmOnceMore(once, 'signal');
        expect(decide(verdict('signal'), both, POLICY, false).do).toBe('commit');
        expect(decide(verdict('near-time'), both, POLICY, false).do).toBe('commit');
    });

    it('believes a time-out at once with --tle-retries 0, but never a strange signal', () => {
        const policy = { ...POLICY, tleRetries: 0 };
        expect(decide(verdict('near-time'), NEVER, policy, false).do).toBe('commit');
        expect(decide(verdict('signal'), NEVER, policy, false).do).toBe('confirm');
    });

    it('tries failures again up to the bound, then gives up', () => {
        expect(decide(failure('sandbox'), NEVER, POLICY, false)).toMatchObject({ do: 'retry', delay: 0.5 });
        expect(decide(failure('sandbox'), { ...NEVER, failures: 1 }, POLICY, false)).toMatchObject({
            delay: 1,
        });
        expect(decide(failure('sandbox'), { ...NEVER, failures: 2 }, POLICY, false).do).toBe('give up');
    });

    it('does not try again what is refused', () => {
        expect(decide(failure('refused'), NEVER, POLICY, false).do).toBe('give up');
    });

    it('while stopping, commits verdicts but writes down neither failures nor deaths by signal', () => {
        expect(decide(verdict(null), NEVER, POLICY, true).do).toBe('commit');
        expect(decide(verdict('signal'), NEVER, POLICY, true).do).toBe('drop');
        expect(decide(failure('sandbox'), NEVER, POLICY, true).do).toBe('drop');
        expect(decide({ kind: 'abort' }, NEVER, POLICY, false).do).toBe('drop');
    });

    it('ends after a bounded number of attempts, whatever they come to', () => {
        const outcomes = fc.constantFrom(verdict('near-time'), verdict('signal'), failure('sandbox'));
        fc.assert(
            fc.property(fc.infiniteStream(outcomes), fc.nat(5), fc.nat(5), (stream, retries, tleRetries) => {
                let tried = NEVER;
                for (let attempt = 1; ; attempt += 1) {
                    expect(attempt).toBeLessThanOrEqual(retries + tleRetries + Math.max(1, tleRetries) + 1);
                    const [outcome] = [...stream.take(1)];
                    const decision = decide(
                        outcome as Outcome,
                        tried,
                        { ...POLICY, retries, tleRetries },
                        false,
                    );
                    if (decision.do === 'confirm') tried = confirmOnceMore(tried, decision.suspicion);
                    else if (decision.do === 'retry') tried = { ...tried, failures: tried.failures + 1 };
                    else return;
                }
            }),
        );
    });
});

describe('what a thrown error asks for', () => {
    const thrown = (told: { readonly retryAfter?: number; readonly retry?: false }): Outcome => ({
        kind: 'failure',
        failure: { reason: 'task-threw', message: 'HTTP 429', ...told },
        by: BY,
    });

    it('sets the wait before the next try', () => {
        expect(decide(thrown({ retryAfter: 7 }), NEVER, POLICY, false)).toMatchObject({
            do: 'retry',
            delay: 7,
        });
        expect(decide(thrown({ retryAfter: 0 }), NEVER, POLICY, false)).toMatchObject({
            do: 'retry',
            delay: 0,
        });
        expect(decide(thrown({}), NEVER, POLICY, false)).toMatchObject({ do: 'retry', delay: 0.5 });
    });

    it('ends the tries', () => {
        expect(decide(thrown({ retry: false, retryAfter: 7 }), NEVER, POLICY, false).do).toBe('give up');
    });
});

describe('backOff', () => {
    it('grows to half a minute and no further', () => {
        const delays = [0, 1, 2, 5, 6, 60].map((failures) => backOff(failures, RETRY_DELAY));
        expect(delays).toEqual([0.5, 1, 2, 16, 30, 30]);
    });

    it('begins with --retry-delay and ends with --max-retry-delay, which never shortens the first', () => {
        expect([0, 1, 2, 3].map((failures) => backOff(failures, { first: 3, most: 10 }))).toEqual([
            3, 6, 10, 10,
        ]);
        expect(backOff(4, { first: 60, most: 30 })).toBe(60);
        expect(backOff(100, { first: 0, most: 30 })).toBe(0);
    });
});
