import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Json } from '../../src/model/json.js';
import { RowsById } from '../../src/model/rows-by-id.js';
import { type IndexedRow, SampleRows } from '../../src/model/sample-rows.js';
import { ValueColumn } from '../../src/model/value-column.js';
import { DigitsColumn } from '../../src/util/columns/digits-column.js';
import { NumberColumn } from '../../src/util/columns/number-column.js';
import { TextArray } from '../../src/util/columns/text-array.js';
import { TextSet } from '../../src/util/columns/text-set.js';

const number = fc
    .oneof(fc.nat({ max: 3 }), fc.nat(), fc.double({ noNaN: true }), fc.constant(2 ** 40))
    .filter((value) => !Object.is(value, -0));
/** ASCII, other characters, lone surrogates, hashes, and texts that only look like hashes. */
const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a') }),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 30, maxLength: 34 }),
    fc.constantFrom('__proto__', 'A'.repeat(32), '0'.repeat(32), 'x'.repeat(3_000_000)),
);

it('a column of numbers gives back what was put in', () => {
    fc.assert(
        fc.property(fc.array(number, { maxLength: 60 }), fc.nat(), number, (values, at, other) => {
            const column = new NumberColumn();
            for (const value of values) column.push(value);
            const expected = [...values];
            if (values.length > 0) {
                column.set(at % values.length, other);
                expected[at % values.length] = other;
            }
            expect(column.length).toBe(expected.length);
            expect(expected.map((_, place) => column.at(place))).toEqual(expected);
        }),
    );
    const long = new NumberColumn();
    for (let place = 0; place < 140_000; place += 1) long.push(place);
    long.set(70_000, -0.5);
    expect([0, 65_535, 65_536, 70_000, 139_999].map((place) => long.at(place))).toEqual([
        0, 65_535, 65_536, -0.5, 139_999,
    ]);
});

it('a column of texts gives back what was put in, and knows it again', () => {
    fc.assert(
        fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
            const column = new TextArray();
            for (const [place, one] of texts.entries()) expect(column.push(one)).toBe(place);
            for (const [place, one] of texts.entries()) {
                expect(column.at(place) === one).toBe(true);
                expect(column.isAt(place, one)).toBe(true);
                expect(column.isAt(place, `${one}!`)).toBe(false);
            }
        }),
        { numRuns: 40 },
    );
});

it('a set of texts is a set', () => {
    const step = fc.tuple(fc.constantFrom('add', 'delete'), fc.nat({ max: 40 }));
    fc.assert(
        fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
            const expected = new Set<string>();
            const set = new TextSet();
            for (const [what, value] of steps) {
                const name = `name-${value}`;
                if (what === 'add') {
                    expected.add(name);
                    set.add(name);
                } else {
                    expected.delete(name);
                    set.delete(name);
                }
            }
            expect([...set]).toEqual([...expected]);
            expect(set.size).toBe(expected.size);
            for (let value = 0; value <= 40; value += 1) {
                expect(set.has(`name-${value}`)).toBe(expected.has(`name-${value}`));
            }
        }),
    );
});

it('a set of more texts than the table of the runtime takes is a set', () => {
    const set = new TextSet([], 1000);
    for (let value = 0; value < 70_000; value += 1) set.add(`name-${value}`);
    for (let value = 0; value < 70_000; value += 2) set.delete(`name-${value}`);
    set.add('name-0');
    expect(set.size).toBe(35_001);
    expect([set.has('name-0'), set.has('name-2'), set.has('name-40001')]).toEqual([true, false, true]);
    expect([...set].slice(-2)).toEqual(['name-69999', 'name-0']);
});

it('digits and other texts come back as they were', () => {
    const digits = fc.oneof(
        fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String),
        fc.constantFrom('', '007', '1763712000123456789', 'archive/1', '-5', '1e9', ' 12', '000000000'),
        fc.string(),
    );
    fc.assert(
        fc.property(fc.array(digits, { minLength: 1, maxLength: 10 }), digits, (texts, other) => {
            const column = new DigitsColumn();
            for (const one of texts) column.push(one);
            column.set(0, other);
            const expected = [other, ...texts.slice(1)];
            expect(texts.map((_, place) => column.at(place))).toEqual(expected);
            for (const [place, one] of expected.entries()) {
                expect(column.isAt(place, one)).toBe(true);
                expect(column.isAt(place, `${one}0`)).toBe(false);
            }
        }),
    );
});

it('values of one key come back as they were, and null where there was none', () => {
    const value = fc.oneof(fc.nat({ max: 2 }), fc.constantFrom<Json>(null, 'a', 'b', true, ['x'], ['y'], {}));
    fc.assert(
        fc.property(fc.array(fc.option(value, { nil: undefined }), { maxLength: 12 }), (values) => {
            const column = new ValueColumn();
            for (const [place, one] of values.entries()) if (one !== undefined) column.pushAt(place, one);
            expect(values.map((_, place) => column.at(place))).toEqual(values.map((one) => one ?? null));
        }),
    );
});

it('rows come back whole, from wherever they were added, and are found by their ids', () => {
    const row = fc.record({
        id: text.filter((id) => id.length < 100),
        fingerprint: text.filter((hash) => hash.length < 100),
        groups: fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat({ max: 3 })), { maxLength: 2 }),
        locator: fc.dictionary(
            fc.constantFrom('as', 'file', 'line'),
            fc.oneof(fc.nat(), fc.constantFrom('general/1', 'other'), fc.constant(['f'])),
            { noNullPrototype: true },
        ),
    });
    const plain = ({ id, fingerprint, groups, locator }: IndexedRow): IndexedRow => ({
        id,
        fingerprint,
        groups,
        locator,
    });
    fc.assert(
        fc.property(fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 12 }), (rows) => {
            const some = new SampleRows();
            const byId = new RowsById();
            for (const [position, one] of rows.entries()) {
                const row = position % 3 === 0 ? one : some.push(one);
                // Known to be new; added to the table at the next look-up, usually several at once.
                if (position % 4 < 2) byId.append(row);
                else expect(byId.add(row)).toBe(-1);
                if (position % 5 === 4) expect(byId.add(one)).toBe(position);
            }
            for (const [position, one] of rows.entries()) {
                expect(byId.find(one.id)).toBe(position);
                expect(plain(byId.at(position))).toEqual(one);
            }
            expect(byId.find('not there')).toBe(-1);
        }),
    );
});
