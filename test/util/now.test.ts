import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTime } from '../../src/util/now.js';

test('times are written as Date writes them, in whatever order they are asked for', () => {
    const near = fc.integer({ min: -3000, max: 3000 }).map((off) => 1_795_000_000_000 + off);
    const any = fc.integer({ min: -8.64e15, max: 8.64e15 });
    const times = fc.array(fc.oneof(near, any), { maxLength: 20 });
    fc.assert(
        fc.property(times, (list) => {
            expect(list.map(formatTime)).toEqual(list.map((time) => new Date(time).toISOString()));
        }),
    );
    expect(formatTime(1_795_000_000_000.75)).toBe(new Date(1_795_000_000_000.75).toISOString());
});
