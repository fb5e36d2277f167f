import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUNDLED_PRICES, computeCost, computePrice, readPrices } from '../../../src/executor/chat/prices.js';
import { tempDir } from '../../rig/cli.js';
import { runs } from '../../rig/long.js';

const usage = { prompt: 1_000_000, cached: 400_000, completion: 200_000, reasoning: 150_000 };
const url = 'https://api.example.com/v1';

function fileOf(content: unknown): string {
    const path = join(tempDir(), 'prices.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
}

describe('prices', () => {
    it('bills cached tokens once, and reasoning ones as part of the answer', () => {
        expect(computePrice(usage, { input: 2, cached: 0.5, output: 10 })).toBeCloseTo(
            0.6 * 2 + 0.4 * 0.5 + 0.2 * 10,
            12,
        );
        expect(computePrice(usage, { input: 2, output: 10 })).toBeCloseTo(2 + 2, 12);
        expect(computePrice({ ...usage, cached: null }, { input: 2, cached: 0.5, output: 0 })).toBe(2);
    });

    it('never costs less than nothing, whatever a service tells of cached tokens', () => {
        const tokens = fc.nat(1_000_000);
        fc.assert(
            fc.property(tokens, tokens, tokens, (prompt, cached, completion) => {
                const cost = computePrice(
                    { prompt, cached, completion, reasoning: null },
                    { input: 3, cached: 1, output: 4 },
                );
                expect(cost).toBeGreaterThanOrEqual((prompt * 1 + completion * 4) / 1e6 - 1e-9);
                expect(cost).toBeLessThanOrEqual((prompt * 3 + completion * 4) / 1e6 + 1e-9);
            }),
            { numRuns: runs(200) },
        );
    });

    it("takes the user's prices first, by the model asked for and then by the one that answered", async () => {
        const models = { mine: { input: 1, output: 1 }, theirs: { input: 5, output: 5 } };
        const table = readPrices(fileOf({ date: '2026-11-01', models }));
        const cost = (model: string, deployment: string | null) =>
            computeCost({ model, deployment, usage, url }, table);
        expect(await cost('mine', 'theirs')).toEqual({ amount: 1.2, source: '--prices of 2026-11-01' });
        expect(await cost('other', 'theirs')).toMatchObject({ amount: 6 });
        expect(await cost('other', 'constructor')).toBeNull();
    });

    it('falls back on bundled prices of the service, and does not guess', async () => {
        const known = { model: 'gpt-4o-mini', deployment: 'gpt-4o-mini-2024-07-18', usage };
        const cost = await computeCost({ ...known, url: 'https://api.openai.com/v1' }, null);
        expect(cost?.source).toBe(BUNDLED_PRICES);
        expect(cost?.amount).toBeGreaterThan(0);
        expect(await computeCost({ ...known, url: 'http://127.0.0.1:8000/v1' }, null)).toBeNull();
        expect(
            await computeCost(
                { ...known, usage: { ...usage, completion: null }, url: 'https://api.openai.com/v1' },
                null,
            ),
        ).toBeNull();
        const { dependencies } = JSON.parse(
            readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
        ) as {
            readonly dependencies: Readonly<Record<string, string>>;
        };
        expect(BUNDLED_PRICES).toBe(`@pydantic/genai-prices ${dependencies['@pydantic/genai-prices']}`);
    });

    it.each([
        ['{', 'cannot read'],
        [{ models: {} }, 'date'],
        [{ date: '2026-11-01', models: { a: { input: -1, output: 1 } } }, 'models.a.input'],
        [{ date: '2026-11-01', models: { a: { input: 1, outptu: 1 } } }, 'models.a'],
    ])('says what is wrong with a file: %j', (content, message) => {
        expect(() => readPrices(fileOf(content))).toThrow(message);
    });
});
