import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asText, ByteBudget } from '../../../src/executor/servers/load.js';
import { runs } from '../../rig/long.js';

describe('ByteBudget', () => {
    it('never lets more be used than there is, but for one that is larger than all', async () => {
        const sizes = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 40 });
        await fc.assert(
            fc.asyncProperty(sizes, async (wanted) => {
                const budget = new ByteBudget(100);
                let used = 0;
                let running = 0;
                const order: number[] = [];
                await Promise.all(
                    wanted.map((bytes, index) =>
                        budget.hold(bytes, async () => {
                            order.push(index);
                            used += bytes;
                            running += 1;
                            expect(used <= 100 || used === bytes).toBe(true);
                            await new Promise((resolve) => setImmediate(resolve));
                            running -= 1;
                            used -= bytes;
                        }),
                    ),
                );
                expect(running).toBe(0);
                expect(order).toEqual(wanted.map((_, index) => index));
            }),
            { numRuns: runs(50) },
        );
    });

    it('gives back what failing work held', async () => {
        const budget = new ByteBudget(10);
        await expect(budget.hold(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
        expect(await budget.hold(10, () => Promise.resolve('yes'))).toBe('yes');
    });
});

describe('asText', () => {
    it('takes what JSON carries without loss, and nothing else', () => {
        for (const text of ['', 'abc\n', 'ü€😀', '\uFEFFabc', '\0'])
            expect(asText(Buffer.from(text))).toBe(text);
        expect(asText(Buffer.from([0xff]))).toBeNull();
        expect(asText(Buffer.from([0xed, 0xa0, 0x80]))).toBeNull();
    });
});
