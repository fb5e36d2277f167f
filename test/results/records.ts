import fc from 'fast-check';
import { type FieldType, RECORD_FIELDS } from '../../src/results/record/fields.js';
import {
    makeRecord,
    parseRecord,
    type RecordInput,
    type ResultRecord,
} from '../../src/results/record/record.js';
import type { CommitSummary, ResultStore } from '../../src/results/result-store.js';

/** A plausible record's input, changed by `more`. */
export function recordInput(more: Partial<RecordInput> = {}): RecordInput {
    return {
        run: 'run-1',
        sample: 'a/1',
        group: 'solution',
        fingerprint: 'v1-sha256-0',
        occurrence: 0,
        revision: 1,
        index: 0,
        verdict: 'Accepted',
        accepted: true,
        success_level: 'full',
        attempts: 1,
        ...more,
    };
}

/** Commits records and nothing else. */
export function commitRecords(store: ResultStore, batch: readonly ResultRecord[]): Promise<CommitSummary> {
    return store.commit(batch.map((record) => ({ kind: 'record', record })));
}

/** `count` records of one run with different keys. */
export function records(count: number, more: Partial<RecordInput> = {}): ResultRecord[] {
    return Array.from({ length: count }, (_, at) =>
        makeRecord(recordInput({ fingerprint: `v1-sha256-${at}`, index: at, ...more })),
    );
}

const value = (type: FieldType): fc.Arbitrary<unknown> => {
    switch (type) {
        case 'text':
            return fc.string({ unit: 'binary', maxLength: 12 });
        case 'json':
            return fc.json({ maxDepth: 1 });
        case 'integer':
            return fc.maxSafeInteger();
        case 'number':
            return fc.double({ noNaN: true, noDefaultInfinity: true });
        case 'boolean':
            return fc.boolean();
        case 'time':
            return fc
                .date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2100-01-01') })
                .map((date) => date.toISOString());
        case 'texts':
            return fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 });
    }
};

/** Any record that the schema allows. */
export const anyRecord: fc.Arbitrary<ResultRecord> = fc
    .record(
        Object.fromEntries(
            RECORD_FIELDS.map(({ name, type, nullable }) => [
                name,
                nullable ? fc.option(value(type)) : value(type),
            ]),
        ),
    )
    .map((row) => parseRecord(row));
