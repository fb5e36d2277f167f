import type { AnswerValue } from '../../model/answer.js';
import type { SampleGroup } from '../../model/success-counts.js';
import { RECORD_FIELDS } from '../record/fields.js';
import { type BriefRecord, isBriefField } from '../record/record.js';
import type { BriefRecords, Row } from './question.js';

/*
 * The sums that rates are made of, from brief records: what the engine makes of the same records, for those who would wait for the
 * engine longer than for the sums.
 */

/** A field by which records can be added up here. */
type PlainField = Exclude<keyof BriefRecord, 'expected'>;

/** The names as fields of brief records; null if one of them is not one, or is a list. */
export function choosePlainFields(names: readonly string[]): readonly PlainField[] | null {
    return names.every(isPlainField) ? [...new Set(names)] : null;
}

const isPlainField = (name: string): name is PlainField =>
    isBriefField(name) && RECORD_FIELDS.some((field) => field.name === name && field.type !== 'texts');

/** Whether a group of a sample has the same values in all of these fields, and no other group of that sample has them. */
export const areOfGroups = (fields: readonly PlainField[]): boolean =>
    fields.includes('group') && fields.every((name) => name === 'group' || name === 'sample');

interface Group {
    readonly values: readonly Value[];
    readonly sums: Record<(typeof SUMS)[number], number>;
}

type Value = BriefRecord[PlainField];

const SUMS = [
    'total',
    'success',
    'partial',
    'failed',
    'infrastructure',
    'samples',
    'all_samples',
    'hits2',
    'crossed',
    'trials2',
    'all_crossed',
    'all_trials2',
    'expected',
    'with_expected',
] as const;

/** Tasks of one sample with the same values. */
interface SampleTasks {
    readonly group: Group;
    all: number;
    judged: number;
    hits: number;
}

/**
 * One row for each combination of the fields' values that occurs, in their order: those fields, and the sums.
 * @param limit most rows; null: all of them
 */
export async function addUpRates(
    { records, isBySample }: BriefRecords<BriefRecord | SampleGroup>,
    fields: readonly PlainField[],
    limit: number | null,
): Promise<readonly Row[]> {
    const groups = new Map<string, Group>();
    const samples = new Map<string, SampleTasks>();
    const endSamples = (): void => {
        for (const tasks of samples.values()) addSample(tasks);
        samples.clear();
    };
    let last: string | null = null;
    for await (const some of records) {
        for (const item of some) {
            if ('counts' in item) {
                addSampleGroup(item, fields, groups);
                continue;
            }
            // No more of the sample before it will come: memory is by groups, however many samples there are.
            if (isBySample && item.sample !== last) endSamples();
            last = item.sample;
            addRecord(item, fields, groups, samples);
        }
    }
    endSamples();
    return [...groups.values()]
        .sort((a, b) => compareAll(a.values, b.values))
        .slice(0, limit ?? groups.size)
        .map(({ values, sums }) => ({
            ...Object.fromEntries(
                fields.map((name, at): [string, AnswerValue] => [name, values[at] ?? null]),
            ),
            ...sums,
            as_expected: sums.with_expected === 0 ? null : sums.expected / sums.with_expected,
        }));
}

function addRecord(
    record: BriefRecord,
    fields: readonly PlainField[],
    groups: Map<string, Group>,
    samples: Map<string, SampleTasks>,
): void {
    const { sample, success_level: level, expected, verdict } = record;
    const values = fields.map((name) => record[name]);
    const groupKey = JSON.stringify(values);
    const group = findGroup(groupKey, values, groups);
    const sampleKey = `${groupKey}${sample}`;
    let tasks = samples.get(sampleKey);
    if (tasks === undefined) {
        tasks = { group, all: 0, judged: 0, hits: 0 };
        samples.set(sampleKey, tasks);
    }
    tasks.all += 1;
    if (level !== null) tasks.judged += 1;
    if (level === 'full') tasks.hits += 1;
    const { sums } = group;
    if (level === 'partial') sums.partial += 1;
    if (level === 'failure') sums.failed += 1;
    if (expected === null || verdict === null) return;
    sums.with_expected += 1;
    if (expected.includes(verdict)) sums.expected += 1;
}

/** Of a sample that has no other tasks with the same values. */
function addSampleGroup(
    { sample, group: name, counts }: SampleGroup,
    fields: readonly PlainField[],
    groups: Map<string, Group>,
): void {
    const values = fields.map((field) => (field === 'sample' ? sample : name));
    const group = findGroup(JSON.stringify(values), values, groups);
    const { full: hits, partial, failure } = counts;
    const all = hits + partial + failure;
    addSample({ group, all, judged: all, hits });
    group.sums.partial += partial;
    group.sums.failed += failure;
    group.sums.with_expected += counts.expected;
    group.sums.expected += counts.asExpected;
}

function findGroup(key: string, values: readonly Value[], groups: Map<string, Group>): Group {
    let group = groups.get(key);
    if (group === undefined) {
        group = { values, sums: { ...NOTHING } };
        groups.set(key, group);
    }
    return group;
}

const NOTHING = Object.fromEntries(SUMS.map((name) => [name, 0])) as Group['sums'];

function addSample({ group: { sums }, all, judged, hits }: SampleTasks): void {
    sums.total += judged;
    sums.success += hits;
    sums.infrastructure += all - judged;
    if (judged > 0) sums.samples += 1;
    sums.all_samples += 1;
    sums.hits2 += hits * hits;
    sums.crossed += hits * judged;
    sums.trials2 += judged * judged;
    sums.all_crossed += hits * all;
    sums.all_trials2 += all * all;
}

function compareAll(first: readonly Value[], second: readonly Value[]): number {
    for (const [at, value] of first.entries()) {
        const order = compareValues(value, second[at] ?? null);
        if (order !== 0) return order;
    }
    return 0;
}

/** As the engine orders them: text by its bytes, null last. */
function compareValues(first: Value, second: Value): number {
    if (first === second) return 0;
    if (first === null) return 1;
    if (second === null) return -1;
    if (typeof first === 'string' || typeof second === 'string')
        return Buffer.compare(Buffer.from(String(first)), Buffer.from(String(second)));
    return Number(first) - Number(second);
}
