import { setMaxListeners } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget, type Reservation } from '../../../src/executor/chat/budget.js';
import { runs } from '../../rig/long.js';

const never = new AbortController().signal;
setMaxListeners(0, never);

const usage = (tokens: number) => ({ prompt: tokens, cached: null, completion: 0, reasoning: null });

describe('budget', () => {
    it('is never exceeded where no answer uses more than was set aside for it', async () => {
        const request = fc.record({
            estimate: fc.integer({ min: 1, max: 50 }),
            share: fc.double({ min: 0, max: 1, noNaN: true }),
        });
        await fc.assert(
            fc.asyncProperty(
                fc.array(request, { maxLength: 40 }),
                fc.nat(300),
                async (requests, maxTokens) => {
                    let used = 0;
                    const said: string[] = [];
                    const budget = new Budget(
                        { maxCost: null, maxTokens },
                        (message) => void said.push(message),
                    );
                    const open: (() => void)[] = [];
                    const results = requests.map(async ({ estimate, share }) => {
                        const one: Reservation | null = await budget.reserve(
                            { tokens: estimate, cost: null },
                            never,
                        );
                        if (one === null) return false;
                        const actual = Math.floor(estimate * share);
                        open.push(() => {
                            used += actual;
                            one.settle(usage(actual), null);
                        });
                        return true;
                    });
                    for (let i = 0; i < 200; i += 1) {
                        await Promise.resolve();
                        open.shift()?.();
                    }
                    const granted = await Promise.all(results);
                    expect(used).toBeLessThanOrEqual(maxTokens);
                    expect(said.length).toBe(granted.includes(false) ? 1 : 0);
                },
            ),
            { numRuns: runs(100) },
        );
    });

    it('lets the next wait for what is in flight, which may use less', async () => {
        const budget = new Budget({ maxCost: 1, maxTokens: null }, () => {});
        const first = await budget.reserve({ tokens: 1, cost: 0.9 }, never);
        const second = budget.reserve({ tokens: 1, cost: 0.5 }, never);
        first?.settle(usage(1), 0.1);
        expect(await second).not.toBeNull();
    });

    it('sets more aside where answers use more than was set aside for them', async () => {
        const said: string[] = [];
        const budget = new Budget({ maxCost: null, maxTokens: 1000 }, (message) => void said.push(message));
        (await budget.reserve({ tokens: 50, cost: null }, never))?.settle(
            { prompt: 50, completion: 100 },
            null,
        );
        const second = await budget.reserve({ tokens: 100, cost: null }, never);
        const third = await budget.reserve({ tokens: 100, cost: null }, never);
        // 150 are spent, and the two in flight may take 300 each: another one waits for them.
        const fourth = budget.reserve({ tokens: 100, cost: null }, never);
        second?.settle({ prompt: 200, completion: 100 }, null);
        third?.settle({ prompt: 200, completion: 100 }, null);
        expect(await fourth).toBeNull();
        expect(said).toEqual([
            'the budget of 1000 tokens (--max-tokens-total) is spent: 750 used, the next request may take 300',
        ]);
    });

    it('counts a request that brought no answer as spent, and one that was turned away not', async () => {
        const said: string[] = [];
        const budget = new Budget({ maxCost: 1, maxTokens: null }, (message) => void said.push(message));
        (await budget.reserve({ tokens: 1, cost: 0.6 }, never))?.cancel();
        (await budget.reserve({ tokens: 1, cost: 0.6 }, never))?.forfeit();
        expect(await budget.reserve({ tokens: 1, cost: 0.6 }, never)).toBeNull();
        expect(said[0]).toContain('$0.600 used');
    });
});
