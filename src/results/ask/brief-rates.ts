import type { AnswerValue } from '../../model/answer.js';
import type { SampleGroup } from '../../model/success-counts.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import { TextPlaces } from '../../util/columns/text-places.js';
import { RECORD_FIELDS } from '../record/fields.js';
import { type BriefRecord, isBriefField } from '../record/record.js';
import type { BriefRecords, Row } from './question.js';

/*
 * Computes the sums behind rates from brief records, with the same result as the engine, for callers that would wait longer for
 * the engine to load than for the sums.
 */

/** A field that records can be grouped by here. */
type PlainField = Exclude<keyof BriefRecord, 'expected'>;

/** The names as fields of brief records; null if one of them is not such a field, or is a list. */
export function choosePlainFields(names: readonly string[]): readonly PlainField[] | null {
    return names.every(isPlainField) ? [...new Set(names)] : null;
}

const isPlainField = (name: string): name is PlainField =>
    isBriefField(name) && RECORD_FIELDS.some((field) => field.name === name && field.type !== 'texts');

/**
 * Whether all tasks of a sample's group share the same values in these fields, and no other group of that sample has those
 * values.
 */
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
    readonly all: number;
    readonly judged: number;
    readonly hits: number;
}

/** Sums of tasks by sample and group. */
interface SampleSums extends Iterable<SampleTasks> {
    add(sample: string, tasks: SampleTasks): void;
}

/** The sums of a single sample. */
class SumsOfOne implements SampleSums {
    readonly #sums = new Map<Group, SampleTasks>();

    add(_sample: string, { group, all, judged, hits }: SampleTasks): void {
        const sum = this.#sums.get(group);
        this.#sums.set(group, {
            group,
            all: all + (sum?.all ?? 0),
            judged: judged + (sum?.judged ?? 0),
            hits: hits + (sum?.hits ?? 0),
        });
    }

    [Symbol.iterator](): Iterator<SampleTasks> {
        return this.#sums.values();
    }

    clear(): void {
        this.#sums.clear();
    }
}

/** Number of keys up to which the runtime's own `Map` is used: it is faster but takes more memory. */
const MAX_KEYS_IN_MAP = 4096;

/** The sums of many samples, as columns: several directories may hold the same sample, so all sums are kept to the end. */
class SumsOfMany implements SampleSums {
    readonly #groups: Group[] = [];
    readonly #numbers = new Map<Group, number>();
    readonly #keys = new TextArray();
    readonly #places = new TextPlaces(this.#keys, MAX_KEYS_IN_MAP);
    readonly #group = new NumberColumn();
    readonly #all = new NumberColumn();
    readonly #judged = new NumberColumn();
    readonly #hits = new NumberColumn();

    add(sample: string, { group, all, judged, hits }: SampleTasks): void {
        const number = this.#numberGroup(group);
        const key = `${number} ${sample}`;
        const place = this.#places.findOrAdd(key, this.#keys.length);
        if (place === -1) {
            this.#keys.push(key);
            this.#group.push(number);
            this.#all.push(all);
            this.#judged.push(judged);
            this.#hits.push(hits);
            return;
        }
        this.#all.set(place, this.#all.at(place) + all);
        this.#judged.set(place, this.#judged.at(place) + judged);
        this.#hits.set(place, this.#hits.at(place) + hits);
    }

    *[Symbol.iterator](): Generator<SampleTasks> {
        for (let place = 0; place < this.#keys.length; place += 1) {
            const group = this.#groups[this.#group.at(place)];
            if (group === undefined) continue;
            const [all, judged, hits] = [this.#all.at(place), this.#judged.at(place), this.#hits.at(place)];
            yield { group, all, judged, hits };
        }
    }

    #numberGroup(group: Group): number {
        let number = this.#numbers.get(group);
        if (number === undefined) {
            number = this.#groups.push(group) - 1;
            this.#numbers.set(group, number);
        }
        return number;
    }
}

/**
 * One row for each combination of values that occurs in the given fields, sorted by them: the fields, and the sums.
 * @param limit maximum number of rows; null: no limit
 */
export async function addUpRates(
    { records, isBySample }: BriefRecords<BriefRecord | SampleGroup>,
    fields: readonly PlainField[],
    limit: number | null,
): Promise<readonly Row[]> {
    const groups = new Map<string, Group>();
    const one = new SumsOfOne();
    const samples = isBySample ? one : new SumsOfMany();
    const endSamples = (): void => {
        for (const tasks of samples) addSample(tasks);
        one.clear();
    };
    let last: string | null = null;
    for await (const some of records) {
        for (const item of some) {
            if ('counts' in item) {
                addSampleGroup(item, fields, groups);
                continue;
            }
            // No more records of the finished sample will follow, so memory grows with the groups only, not with the samples.
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
    samples: SampleSums,
): void {
    const { sample, success_level: level, expected, verdict } = record;
    const values = fields.map((name) => record[name]);
    const group = findGroup(JSON.stringify(values), values, groups);
    samples.add(sample, { group, all: 1, judged: Number(level !== null), hits: Number(level === 'full') });
    const { sums } = group;
    if (level === 'partial') sums.partial += 1;
    if (level === 'failure') sums.failed += 1;
    if (expected === null || verdict === null) return;
    sums.with_expected += 1;
    if (expected.includes(verdict)) sums.expected += 1;
}

/** Adds a group of a sample that has no other tasks with the same values. */
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

/** The engine's order: text by its bytes, null last. */
function compareValues(first: Value, second: Value): number {
    if (first === second) return 0;
    if (first === null) return 1;
    if (second === null) return -1;
    if (typeof first === 'string' || typeof second === 'string')
        return Buffer.compare(Buffer.from(String(first)), Buffer.from(String(second)));
    return Number(first) - Number(second);
}
