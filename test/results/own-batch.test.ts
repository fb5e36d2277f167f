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
    type ResultRecord,
    recordLine,
} from '../../src/results/record/record.js';
import { runs } from '../rig/long.js';
import { anyRecord, recordInput } from './records.js';

const record = (one: ResultRecord): RecordChange => ({ kind: 'record', record: one });

const retirement: RecordChange = {
    kind: 'retirement',
    retirement: { run: 'r', sample: 's', group: 'g', fingerprint: 'f', occurrence: 0, revision: 3 },
};

/** What a store would come to hold. */
const meaning = (change: BatchChange): unknown =>
    change.kind === 'retirement'
        ? change
        : {
              digest: change.digest.toString('hex'),
              revision: change.revision,
              record: parseRecord(JSON.parse(change.line)),
          };

/** The changes of a batch, as a parser of the whole text finds them. Null if it is not a batch. */
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
        fc.assert(
            fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 4 }), (list) => {
                const text = batchText([...list.map(record), retirement].map(changeText));
                const changes = scanOwnBatch(text, matcher) ?? [];
                expect(changes.map(meaning)).toEqual(parseChanges(text)?.map(meaning));
                for (const [at, one] of list.entries()) {
                    const change = changes[at];
                    if (change?.kind !== 'line') throw new Error('expected a line');
                    expect(change.digest).toEqual(digestKey(one));
                    const named = Object.keys(JSON.parse(change.line) as object);
                    expect(change.fields).toEqual(expect.arrayContaining(named));
                }
            }),
        );
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
        expect(scanOwnBatch(text, matcher)).toHaveLength(3);
        for (const one of list) expect(matcher.match(recordLine(one), 0)).not.toBeNull();
        const piece = fc.oneof(
            fc.constantFrom('', '"', '\\', '\\u0041', '\n', ',', '{', '}', ']', '0', '-', '.5', 'e9', 'null'),
            fc.string({ unit: 'binary', maxLength: 2 }),
        );
        fc.assert(
            fc.property(fc.nat(text.length), fc.nat(3), piece, (at, removed, added) => {
                const changed = `${text.slice(0, at)}${added}${text.slice(at + removed)}`;
                const scanned = scanOwnBatch(changed, matcher);
                if (scanned !== null)
                    expect(scanned.map(meaning)).toEqual(parseChanges(changed)?.map(meaning));
            }),
            { numRuns: runs(500) },
        );
    });

    it('with a text of a million escapes is read too', () => {
        const long = makeRecord(recordInput({ failure_message: '"'.repeat(1_000_000) }));
        const matcher = new RecordLineMatcher();
        matcher.learn(Object.keys(long));
        const text = batchText([changeText(record(long))]);
        expect(scanOwnBatch(text, matcher)?.map(meaning)).toEqual(parseChanges(text)?.map(meaning));
    });
});
