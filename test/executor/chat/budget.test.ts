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
                            { model: 'm', tokens: estimate, cost: null },
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
        const first = await budget.reserve({ model: 'm', tokens: 1, cost: 0.9 }, never);
        const second = budget.reserve({ model: 'm', tokens: 1, cost: 0.5 }, never);
        first?.settle(usage(1), 0.1);
        expect(await second).not.toBeNull();
    });

    it('sets more aside where answers use more than was set aside for them', async () => {
        const said: string[] = [];
        const budget = new Budget({ maxCost: null, maxTokens: 1000 }, (message) => void said.push(message));
        (await budget.reserve({ model: 'm', tokens: 50, cost: null }, never))?.settle(
            { prompt: 50, completion: 100 },
            null,
        );
        const second = await budget.reserve({ model: 'm', tokens: 100, cost: null }, never);
        const third = await budget.reserve({ model: 'm', tokens: 100, cost: null }, never);
        // 150 are spent, and the two in flight may take 300 each, so another one must wait for them.
        const fourth = budget.reserve({ model: 'm', tokens: 100, cost: null }, never);
        second?.settle({ prompt: 200, completion: 100 }, null);
        third?.settle({ prompt: 200, completion: 100 }, null);
        expect(await fourth).toBeNull();
        expect(said).toEqual([
            'the budget of 1000 tokens (--max-tokens-total) is spent: 750 used, the next request may take 300',
        ]);
    });

    it('asks a model of which no answer is known little at first, whatever others use', async () => {
        const budget = new Budget({ maxCost: null, maxTokens: 1000 }, () => {});
        const ask = (model: string) => budget.reserve({ model, tokens: 10, cost: null }, never);
        (await ask('m'))?.settle(usage(5), null);
        const judging = Array.from({ length: 8 }, () => ask('judge'));
        let granted = 0;
        for (const one of judging) void one.then(() => (granted += 1));
        const first = await judging[0];
        expect(await ask('m')).not.toBeNull();
        expect(granted).toBe(4);
        first?.settle(usage(10), null);
        expect(await Promise.all(judging)).not.toContain(null);
    });

    it('takes what a search costs as known', async () => {
        const said: string[] = [];
        const budget = new Budget({ maxCost: 1, maxTokens: null }, (message) => void said.push(message));
        // An answer costs three times what was reserved for it.
        (await budget.reserve({ model: 'm', tokens: 1, cost: 0.1 }, never))?.settle(usage(1), 0.3);
        const search = () => budget.reserve({ model: null, tokens: 0, cost: 0.1 }, never);
        const made = await Promise.all(Array.from({ length: 7 }, search));
        expect(made).not.toContain(null);
        for (const one of made) one?.settle({ prompt: 0, completion: 0 }, 0.1);
        expect(await search()).toBeNull();
        expect(said).toEqual([
            'the budget of $1 (--max-cost) is spent: $1.00 used, the next request may cost $0.100',
        ]);
    });

    it('counts a request that brought no answer as spent, and one that was turned away not', async () => {
        const said: string[] = [];
        const budget = new Budget({ maxCost: 1, maxTokens: null }, (message) => void said.push(message));
        (await budget.reserve({ model: 'm', tokens: 1, cost: 0.6 }, never))?.cancel();
        (await budget.reserve({ model: 'm', tokens: 1, cost: 0.6 }, never))?.forfeit();
        expect(await budget.reserve({ model: 'm', tokens: 1, cost: 0.6 }, never)).toBeNull();
        expect(said[0]).toContain('$0.600 used');
    });
});
