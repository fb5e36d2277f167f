import type { Adopted, Entry } from '../../model/entry.js';
import type { JsonObject } from '../../model/json.js';
import { isVerdict } from '../../model/verdict.js';
import { makeOccurrenceKey } from '../../plan/plan-sample.js';
import type { DueTask, SamplePlan } from '../../plan/sample-plan.js';
import { KEY_FIELDS, type RecordField, RECORD_FIELDS } from '../../results/record/fields.js';
import type { ResultRecord } from '../../results/record/record.js';
import { readGeneration } from '../../results/store/read-generation.js';
import { planItem } from '../../run/due-tasks.js';
import type { PrepareOptions } from '../../run/prepare.js';
import type { SampleItem } from '../../run/sample-item.js';
import { makeCellKey, makeRowKey } from '../../run/task-state.js';
import type { AdoptingStore } from './adopted-overlay.js';

export interface AdoptOptions {
    /** The results database to adopt from. Absolute. */
    readonly database: string;
    /** Id of this run, whose own records are never adopted. */
    readonly run: string;
    readonly store: AdoptingStore;
    readonly prepare: PrepareOptions;
    /** Whether entries contain their row. */
    readonly keepSource: boolean;
}

/**
 * Completes tasks that have no result yet with records of a results database that have the same group and the planned
 * fingerprint. Each record serves one task, the newest first, so that repeated tasks get no more results than there are records.
 * The entries are marked `adopted` and are neither spooled nor collected again, as the database already has their record.
 * @returns how many tasks were completed
 * @throws UserError (exit 2) if there is no database
 */
export async function adoptRecords(items: Iterable<SampleItem>, options: AdoptOptions): Promise<number> {
    const { database, run } = options;
    const generation = await readGeneration(database);
    const wanted = new Set<string>();
    const open: SampleItem[] = [];
    const used = new Set<string>();
    for (const item of items) {
        const found = await findUnfinished(item, options);
        for (const { group, fingerprint } of found.unfinished) wanted.add(makeTaskKey(group, fingerprint));
        for (const { stored } of found.planned.state.kept)
            if (stored.entry.adopted !== undefined)
                used.add(makeSourceKey(stored.entry.adopted, stored.entry.fingerprint));
        if (found.unfinished.length > 0) open.push(item);
    }
    if (wanted.size === 0) return 0;
    const byTask = new Map<string, ResultRecord[]>();
    for await (const some of await generation.records()) {
        for (const record of some) {
            const key = makeTaskKey(record.group, record.fingerprint);
            const isUsable = record.run !== run && isVerdict(record.verdict) && wanted.has(key);
            if (!isUsable || used.has(makeSourceKey(openSource(record, database), record.fingerprint)))
                continue;
            const list = byTask.get(key);
            if (list === undefined) byTask.set(key, [record]);
            else list.push(record);
        }
    }
    for (const list of byTask.values()) list.sort(compareNewestFirst);
    let adopted = 0;
    for (const item of open) {
        const { planned, unfinished } = await findUnfinished(item, options);
        const pairs = unfinished.flatMap((task) => {
            const record = byTask.get(makeTaskKey(task.group, task.fingerprint))?.shift();
            return record === undefined ? [] : [{ task, record }];
        });
        adopted += pairs.length;
        if (pairs.length === 0) continue;
        const writer = options.store.open(planned.state);
        for (const { task, record } of pairs) {
            const entry = buildEntry(task, record, options);
            await writer.commit(task.group, entry, { apiUsed: 'adopted', workerId: '' });
        }
        await writer.close();
    }
    return adopted;
}

async function findUnfinished(
    item: SampleItem,
    options: AdoptOptions,
): Promise<{ readonly planned: SamplePlan; readonly unfinished: readonly DueTask[] }> {
    const planned = await planItem(item, options);
    const finished = new Set(planned.state.kept.map(({ group, index }) => `${index} ${group}`));
    // A task that is to run again must not get its old answer back.
    const unfinished = planned.due.filter(({ group, index }) => !finished.has(`${index} ${group}`));
    return { planned, unfinished };
}

function buildEntry(task: DueTask, record: ResultRecord, { database, keepSource }: AdoptOptions): Entry {
    return {
        index: task.index,
        ...(keepSource ? makeRowKey(task.input) : {}),
        ...makeCellKey(task.input),
        result: buildResult(record),
        adopted: openSource(record, database),
        attempts: [],
        fingerprint: task.fingerprint,
        ...makeOccurrenceKey(task.occurrence),
    };
}

/** The part of the result that a record holds; the database contains no answers. */
function buildResult(record: ResultRecord): JsonObject {
    const known = RECORD_FIELDS.filter(
        ({ name }: RecordField) => !NOT_OF_RESULT.has(name) && record[name as keyof ResultRecord] !== null,
    ).map(({ name }) => [name, record[name]] as const);
    return { ...Object.fromEntries(known), verdict: record.verdict, accepted: record.accepted };
}

/** Key fields, and fields that only make sense in the record's own directory. */
const NOT_OF_RESULT: ReadonlySet<string> = new Set([
    ...KEY_FIELDS,
    'version',
    'revision',
    'index',
    'expected',
    'attempts',
    'attempt_log',
    'worker',
]);

const openSource = ({ run, sample, occurrence }: ResultRecord, database: string): Adopted => ({
    database,
    run,
    sample,
    ...makeOccurrenceKey(occurrence),
});

const makeTaskKey = (group: string, fingerprint: string): string => `${fingerprint} ${group}`;

/** Key that distinguishes records with the same fingerprint, independent of the database's location. */
const makeSourceKey = ({ run, sample, occurrence = 0 }: Adopted, fingerprint: string | null): string =>
    JSON.stringify([run, sample, occurrence, fingerprint]);

function compareNewestFirst(a: ResultRecord, b: ResultRecord): number {
    return (
        (b.finished_at ?? '').localeCompare(a.finished_at ?? '') ||
        a.run.localeCompare(b.run) ||
        a.occurrence - b.occurrence
    );
}
