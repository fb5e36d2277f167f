import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeColumns } from '../../src/results/record/columns.js';
import {
    ATTEMPT_FIELDS,
    type RecordField,
    KEY_FIELDS,
    RECORD_FIELDS,
} from '../../src/results/record/fields.js';
import {
    digestKey,
    makeRecord,
    parseRecord,
    parseRecordLine,
    parseRetirement,
    recordLine,
} from '../../src/results/record/record.js';
import { renderFieldTable, recordSchema } from '../../src/results/record/schema.js';
import { STORAGE_FORMATS, type StorageFormat } from '../../src/results/result-store.js';
import { anyRecord, recordInput } from './records.js';

describe('a record', () => {
    it('is the same after it was written as a line and read', () => {
        fc.assert(
            fc.property(anyRecord, (record) => {
                expect(parseRecord(JSON.parse(recordLine(record)))).toEqual(record);
            }),
        );
    });

    it('is stored from a batch as it would be written anew, whatever its keys, their order and its spelling', () => {
        const odd = fc.constantFrom<object>(
            {},
            { unknown: 1 },
            { turns: null },
            { turns: -0 },
            { started_at: '2026-02-30T00:00:00.000Z' },
            { finished_at: '2026-11-29T05:21:57+02:00' },
            { sample: 'a\ud800b', expected: ['\udfff'] },
        );
        fc.assert(
            fc.property(anyRecord, odd, fc.boolean(), (record, more, isReversed) => {
                const row = Object.entries({ ...(JSON.parse(recordLine(record)) as object), ...more });
                const value: unknown = Object.fromEntries(isReversed ? row.reverse() : row);
                const read = parseRecord(value);
                expect(parseRecordLine(value)).toEqual({
                    digest: digestKey(read),
                    revision: read.revision,
                    line: recordLine(read),
                });
            }),
        );
        for (const wrong of [{ run: null }, { turns: 'four' }, { version: undefined }])
            expect(() => parseRecordLine({ ...makeRecord(recordInput()), ...wrong })).toThrow(/expected/);
    });

    it('keeps null apart from 0 and false', () => {
        const record = makeRecord(recordInput({ quality_score: null, final_score: 0, is_flawed: false }));
        const read = parseRecord(JSON.parse(recordLine(record)));
        expect([read.quality_score, read.final_score, read.is_flawed, read.phase2_score]).toEqual([
            null,
            0,
            false,
            null,
        ]);
    });

    it.each([
        [{ turns: 'four' }, /^turns: expected a number, got "four"$/],
        [{ memory: 1.5 }, /^memory: expected an integer, got 1.5$/],
        [{ score: Number.NaN }, /^score: expected a number/],
        [{ started_at: 'yesterday' }, /^started_at: expected a time like/],
        [{ run: null }, /^run: expected text, got null$/],
        [{ expected: ['Accepted', 1] }, /^expected: expected a list of texts/],
    ])('with %j is refused by the name of the field', (wrong, message) => {
        expect(() => parseRecord({ ...makeRecord(recordInput()), ...wrong })).toThrow(message);
    });

    it('has times in UTC with milliseconds, however they were written', () => {
        const { started_at } = makeRecord(recordInput({ started_at: '2026-11-29T05:21:57+02:00' }));
        expect(started_at).toBe('2026-11-29T03:21:57.000Z');
    });

    it('gives halves of surrogate pairs as what UTF-8 has for them', () => {
        expect(makeRecord(recordInput({ sample: 'a\ud800b' })).sample).toBe('a\ufffdb');
    });

    it('names attempts as result files do', () => {
        const columns: readonly (typeof ATTEMPT_FIELDS)[number]['name'][] = [
            'attempt',
            'verdict',
            'failure',
            'message',
            'started_at',
        ];
        expect(ATTEMPT_FIELDS.map((field) => field.name).slice(0, 5)).toEqual(columns);
    });

    it('drops what a later version added', () => {
        const read = parseRecord({ ...makeRecord(recordInput()), invented_later: 1 });
        expect(Object.keys(read)).toEqual(RECORD_FIELDS.map((field) => field.name));
    });
});

describe('a key', () => {
    it('differs where any of its fields differs, also where the texts joined are equal', () => {
        const key = { run: 'r', sample: 's', group: 'g', fingerprint: 'f', occurrence: 0 };
        const keys = [
            key,
            { ...key, run: 'rs', sample: '' },
            { ...key, run: 'r","s', sample: '' },
            { ...key, occurrence: 1 },
            { ...key, group: 'gf', fingerprint: '' },
        ];
        expect(new Set(keys.map((one) => digestKey(one).toString('hex'))).size).toBe(keys.length);
    });

    it('does not depend on revision, index or time', () => {
        const a = makeRecord(recordInput({ revision: 1, index: 0, finished_at: '2026-01-01T00:00:00Z' }));
        const b = makeRecord(recordInput({ revision: 2, index: 7, finished_at: '2027-01-01T00:00:00Z' }));
        expect(digestKey(a)).toEqual(digestKey(b));
    });

    it('of a retirement has nothing but key and revision', () => {
        const retirement = parseRetirement({ ...makeRecord(recordInput()), more: 1 });
        expect(Object.keys(retirement)).toEqual([...KEY_FIELDS, 'revision']);
        expect(() => parseRetirement({ run: 'r' })).toThrow('sample: expected text');
    });
});

describe('the schema', () => {
    it('describes the same fields to JSON Schema, DuckDB and the documentation', () => {
        const fields: readonly RecordField[] = RECORD_FIELDS;
        const names = fields.map((field) => field.name);
        expect(new Set(names).size).toBe(names.length);
        expect(Object.keys(recordSchema()['properties'] as object)).toEqual(names);
        expect([...describeColumns().matchAll(/"(\w+)":/g)].map((match) => match[1])).toEqual(names);
        expect([...renderFieldTable().matchAll(/^\| `(\w+)`/gm)].map((match) => match[1])).toEqual(names);
        expect(recordSchema()['required']).toEqual(
            fields.filter((one) => !one.nullable).map((one) => one.name),
        );
        const formats: readonly StorageFormat[] = ['json', 'parquet'];
        expect(STORAGE_FORMATS).toEqual(formats);
    });
});
