import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { batchText, changeText, readOwnBatch, scanOwnBatch } from '../../src/results/collect/own-batch.js';
import { RecordLineMatcher } from '../../src/results/record/line-matcher.js';
import {
    type BatchChange,
    digestKey,
    makeRecord,
    parseRecord,
    type RecordChange,
    type RecordLine,
    type ResultRecord,
    recordLine,
} from '../../src/results/record/record.js';
import { type RecordRows, startOfRow } from '../../src/results/record/record-rows.js';
import { runs } from '../rig/long.js';
import { anyRecord, recordInput } from './records.js';

const record = (one: ResultRecord): RecordChange => ({ kind: 'record', record: one });

const retirement: RecordChange = {
    kind: 'retirement',
    retirement: { run: 'r', sample: 's', group: 'g', fingerprint: 'f', occurrence: 0, revision: 3 },
};

/** What a store would hold after each record or retirement. */
const meanings = (changes: readonly BatchChange[] | null): unknown[] | undefined =>
    changes?.flatMap((change): unknown[] => {
        if (change.kind === 'retirement') return [change];
        if (change.kind === 'rows') return linesOf(change.rows).map(meaning);
        return [meaning(change)];
    });

const meaning = ({ digest, revision, line }: RecordLine): unknown => ({
    digest: digest.toString('hex'),
    revision,
    record: parseRecord(JSON.parse(line)),
});

const linesOf = (rows: RecordRows): RecordLine[] =>
    rows.ends.map((end, row) => {
        const line = rows.bytes.toString('utf8', startOfRow(rows, row), end);
        expect(line.endsWith('\n')).toBe(true);
        const { keys, fields } = rows;
        return {
            digest: Buffer.from(keys.digest(row)),
            revision: keys.revision(row),
            line: line.slice(0, -1),
            fields,
        };
    });

const scan = (text: string, matcher: RecordLineMatcher): readonly BatchChange[] | null =>
    scanOwnBatch(Buffer.from(text), matcher);

/** The changes of a batch, as found by parsing the whole text. Null if it is not a batch. */
function parseChanges(text: string): readonly BatchChange[] | null {
    try {
        const batch = readOwnBatch(JSON.parse(text) as JsonObject);
        return batch.kind === 'changes' ? batch.changes : null;
    } catch {
        return null;
    }
}

describe('a batch of ours', () => {
    it('is read without parsing it as it would be parsed', () => {
        const matcher = new RecordLineMatcher();
        const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 });
        fc.assert(
            fc.property(fc.array(anyRecord, { minLength: 4, maxLength: 4 }), order, (list, places) => {
                // Retirements occur anywhere between the records.
                const changes = places.map((at) => (list[at] === undefined ? retirement : record(list[at])));
                const text = batchText(changes.map(changeText));
                const scanned = scan(text, matcher) ?? [];
                expect(meanings(scanned)).toEqual(meanings(parseChanges(text)));
                const lines = scanned.flatMap((one) => (one.kind === 'rows' ? linesOf(one.rows) : []));
                const records = changes.flatMap((one) => (one.kind === 'record' ? [one.record] : []));
                expect(lines.map(({ line }) => line)).toEqual(records.map(recordLine));
                for (const [at, one] of records.entries()) {
                    expect(lines[at]?.digest).toEqual(digestKey(one));
                    const named = Object.keys(JSON.parse(lines[at]?.line ?? '{}') as object);
                    expect(lines[at]?.fields).toEqual(expect.arrayContaining(named));
                }
            }),
        );
    });

    it('of more bytes than are looked at together is read whole, long lines too', () => {
        const lengths = [10, 200_000, 70_000, 1, ...Array.from({ length: 400 }, (_, at) => at * 7)];
        const list = lengths.map((length, at) =>
            makeRecord(recordInput({ sample: `ü${at}`, failure_message: 'é'.repeat(length) })),
        );
        const text = batchText(list.map(record).map(changeText));
        const scanned = scan(text, new RecordLineMatcher());
        expect(scanned).toHaveLength(1);
        expect(meanings(scanned)).toEqual(meanings(parseChanges(text)));
    });

    it('that is changed anywhere is never read as anything but what a parser finds', () => {
        const matcher = new RecordLineMatcher();
        const list = [
            makeRecord(recordInput({ expected: ['Accepted', 'a"b'], score: 0.25, memory: 12 })),
            makeRecord(
                recordInput({ sample: 'ü😀\\n', finished_at: '2026-11-29T03:21:57.123Z', is_flawed: true }),
            ),
        ];
        const text = batchText([...list.map(record), retirement].map(changeText));
        expect(meanings(scan(text, matcher))).toHaveLength(3);
        for (const one of list) expect(matcher.match(recordLine(one), 0)).not.toBeNull();
        const piece = fc.oneof(
            fc.constantFrom('', '"', '\\', '\\u0041', '\n', ',', '{', '}', ']', '0', '-', '.5', 'e9', 'null'),
            fc.string({ unit: 'binary', maxLength: 2 }),
        );
        fc.assert(
            fc.property(fc.nat(text.length), fc.nat(3), piece, (at, removed, added) => {
                const changed = `${text.slice(0, at)}${added}${text.slice(at + removed)}`;
                const bytes = Buffer.from(changed);
                const scanned = scanOwnBatch(bytes, matcher);
                if (scanned === null) expect(bytes).toEqual(Buffer.from(changed));
                else expect(meanings(scanned)).toEqual(meanings(parseChanges(changed)));
            }),
            { numRuns: runs(500) },
        );
    });

    it('whose bytes are not UTF-8 is not read, and stays as it is', () => {
        const bytes = Buffer.from(batchText([changeText(record(makeRecord(recordInput({ sample: 'ü' }))))]));
        const matcher = new RecordLineMatcher();
        expect(scanOwnBatch(Buffer.from(bytes), matcher)).toHaveLength(1);
        const at = bytes.indexOf(0xc3);
        for (const byte of [0xff, 0x80, 0xc3, 0xed]) {
            const changed = Buffer.from(bytes);
            changed[at + 1] = byte === 0x80 ? 0xc3 : byte;
            const before = Buffer.from(changed);
            expect(scanOwnBatch(changed, matcher)).toBeNull();
            expect(changed).toEqual(before);
        }
    });

    it('with a text of a million escapes is read too', () => {
        const long = makeRecord(recordInput({ failure_message: '"'.repeat(1_000_000) }));
        const matcher = new RecordLineMatcher();
        matcher.learn(Object.keys(long));
        const text = batchText([changeText(record(long))]);
        expect(meanings(scan(text, matcher))).toEqual(meanings(parseChanges(text)));
    });
});
