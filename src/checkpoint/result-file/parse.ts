import { makeEarlierCheckpoint } from '../earlier/earlier-checkpoint.js';
import type { Checkpoint, FileStamp, StoredEntry } from '../../model/checkpoint.js';
import type { ComputedLimits, OpenTask, SkippedTask } from '../../model/entry.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { getVerdict } from '../../model/tally.js';
import { isVerdict } from '../../model/verdict.js';
import { normalizeEarlierEntry, dropFalseVerdict } from '../earlier/normalize.js';

/*
 * From parsed JSON to a checkpoint. Checked by hand, because this runs over every entry of every file at a start. If anything is
 * wrong with one of our files, the whole file counts as corrupt: it is moved aside and its sample runs again. A file is never
 * half believed.
 */

/** A result file's members, however large the file was. */
export interface RawFile {
    /** All members but the groups. */
    readonly members: ReadonlyMap<string, Json>;
    /** Elements of `<group>_result`, by group. */
    readonly groups: ReadonlyMap<string, readonly Json[]>;
}

export type ParsedResultFile =
    | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
    /** A result file, but of another sample. */
    | { readonly kind: 'other'; readonly id: string }
    | { readonly kind: 'corrupt'; readonly why: string };

const SUFFIX = '_result';

/** The group of a key like `solution_result`; null for other keys. */
export function groupOfKey(key: string): string | null {
    return key.length > SUFFIX.length && key.endsWith(SUFFIX) ? key.slice(0, -SUFFIX.length) : null;
}

/** Sorts the members of a parsed result file; returns text if it is not one. */
export function parseRawFile(json: Json): RawFile | string {
    if (!isJsonObject(json)) return 'not a JSON object';
    const members = new Map<string, Json>();
    const groups = new Map<string, readonly Json[]>();
    for (const [key, value] of Object.entries(json)) {
        const group = groupOfKey(key);
        if (group === null) members.set(key, value);
        else if (Array.isArray(value)) groups.set(group, value as readonly Json[]);
        else return `"${key}" is not a list`;
    }
    return { members, groups };
}

/** @param id the sample asked for; null accepts any sample */
export function parseCheckpoint(raw: RawFile, id: string | null, stamp: FileStamp): ParsedResultFile {
    const own = raw.members.get('id');
    if (own !== undefined && typeof own !== 'string') return describeCorruption('"id" is not a text');
    if (id !== null && own !== undefined && own !== id) return { kind: 'other', id: own };
    if (isEarlier(raw)) {
        const known = own ?? id;
        if (known === null) return describeCorruption('"id" is missing');
        if (raw.groups.size === 0) return describeCorruption('it holds neither results nor progress');
        return { kind: 'checkpoint', checkpoint: readEarlier(raw, known, stamp) };
    }
    if (own === undefined) return describeCorruption('"id" is missing');
    return ownCheckpoint(raw, own, stamp);
}

const describeCorruption = (why: string): ParsedResultFile => ({ kind: 'corrupt', why });

/** Written by the earlier tools: no progress, or entries of which none has a fingerprint. */
function isEarlier(raw: RawFile): boolean {
    let entries = 0;
    for (const list of raw.groups.values()) {
        for (const entry of list) {
            if (!isJsonObject(entry)) continue;
            if (entry.fingerprint !== undefined) return false;
            entries += 1;
        }
    }
    return entries > 0 || !raw.members.has('progress');
}

function readEarlier(raw: RawFile, id: string, stamp: FileStamp): Checkpoint {
    const entries = new Map<string, readonly StoredEntry[]>();
    for (const [group, list] of raw.groups)
        entries.set(group, list.filter(isJsonObject).map(normalizeEarlierEntry));
    return makeEarlierCheckpoint(id, entries, stamp);
}

function ownCheckpoint(raw: RawFile, id: string, stamp: FileStamp): ParsedResultFile {
    const progress = raw.members.get('progress') ?? null;
    if (!isJsonObject(progress)) return describeCorruption('"progress" is not an object');
    const entries = new Map<string, readonly StoredEntry[]>();
    const totals = new Map<string, number>();
    let complete = progress.is_complete === true;
    for (const [group, list] of raw.groups) {
        const stored: StoredEntry[] = [];
        for (const [position, value] of list.entries()) {
            const entry = readEntry(value);
            if (typeof entry === 'string')
                return describeCorruption(`${group}_result[${position}]: ${entry}`);
            stored.push({ entry });
            if (getVerdict(entry) === null) complete = false;
        }
        entries.set(group, stored);
        const total = progress[`total_${group}s`];
        if (!isCount(total)) return describeCorruption(`progress has no usable total_${group}s`);
        totals.set(group, total);
        if (total !== list.length) complete = false;
    }
    const lists = listMembers(raw.members);
    if (typeof lists === 'string') return describeCorruption(lists);
    const run = raw.members.get('run') ?? null;
    if (run !== null && typeof run !== 'string') return describeCorruption('"run" is not a text');
    const retiredRevision = raw.members.get('retired_revision') ?? 0;
    if (!isCount(retiredRevision)) return describeCorruption('"retired_revision" is not a number of changes');
    return {
        kind: 'checkpoint',
        checkpoint: {
            id,
            entries,
            ...lists,
            totals,
            isComplete: complete,
            run,
            retiredRevision,
            origin: 'resume-run',
            stamp,
        },
    };
}

type ListMembers = Pick<Checkpoint, 'failures' | 'pending' | 'skipped' | 'computedLimits'>;

function listMembers(members: RawFile['members']): ListMembers | string {
    const failures = list(members, 'failures', openTaskProblem);
    const pending = list(members, 'pending', openTaskProblem);
    const skipped = list(members, 'skipped', findTaskProblem);
    for (const result of [failures, pending, skipped]) if (typeof result === 'string') return result;
    const limits = members.get('computed_limits') ?? null;
    if (limits !== null && !isComputedLimits(limits)) return '"computed_limits" is not what it should be';
    return {
        failures: failures as readonly OpenTask[],
        pending: pending as readonly OpenTask[],
        skipped: skipped as readonly SkippedTask[],
        computedLimits: limits,
    };
}

function list(
    members: RawFile['members'],
    key: string,
    problemOf: (value: Json) => string | null,
): readonly unknown[] | string {
    const value = members.get(key) ?? [];
    if (!Array.isArray(value)) return `"${key}" is not a list`;
    for (const [position, item] of value.entries()) {
        const problem = problemOf(item);
        if (problem !== null) return `${key}[${position}]: ${problem}`;
    }
    return value;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isOptionalCount = (value: unknown): boolean => value === undefined || isCount(value);
const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;

/** An entry of ours, or what is wrong with it. */
function readEntry(value: Json): StoredEntry['entry'] | string {
    if (!isJsonObject(value)) return 'not an object';
    const problem = findEntryProblem(value);
    if (problem !== null) return problem;
    const checked: unknown = value;
    const entry = checked as StoredEntry['entry'];
    const verdict = getVerdict(entry);
    if (verdict === null) return 'it holds no verdict';
    const wrong = entry.language === undefined ? null : findJudgedProblem(value.result, verdict);
    if (wrong !== null) return wrong;
    return isImported(entry) ? dropFalseVerdict(entry) : entry;
}

/** Taken over from a file of the earlier tools: a program whose attempts and limits nobody knows. */
export function isImported({ attempts, language, limits }: StoredEntry['entry']): boolean {
    return attempts.length === 0 && language !== undefined && limits === undefined;
}

function findEntryProblem(value: JsonObject): string | null {
    if (!isCount(value.index)) return '"index" is not a position';
    if (typeof value.fingerprint !== 'string' || value.fingerprint === '') return '"fingerprint" is missing';
    if (!isOptionalText(value.language)) return '"language" is not a text';
    if (!isOptionalText(value.solution)) return '"solution" is not a text';
    if (!isOptionalText(value.name)) return '"name" is not a text';
    if (!isOptionalCount(value.occurrence)) return '"occurrence" is not a position';
    if (!isOptionalCount(value.revision)) return '"revision" is not a number of changes';
    if (value.expected !== undefined && !(Array.isArray(value.expected) && value.expected.every(isVerdict))) {
        return '"expected" is not a list of verdicts';
    }
    if (value.expected_scores !== undefined && !isExpectedScores(value.expected_scores)) {
        return '"expected_scores" is not a list of scores';
    }
    if (value.adopted !== undefined && !isJsonObject(value.adopted)) return '"adopted" is not an object';
    if (value.limits !== undefined && !isLimits(value.limits)) return '"limits" is not what it should be';
    if (!Array.isArray(value.attempts)) return '"attempts" is not a list';
    for (const attempt of value.attempts) {
        const problem = findAttemptProblem(attempt);
        if (problem !== null) return problem;
    }
    return isJsonObject(value.result) ? null : '"result" is not an object';
}

function isExpectedScores(value: Json): boolean {
    return (
        Array.isArray(value) &&
        (value as readonly Json[]).every(
            (each) =>
                isJsonObject(each) &&
                isOptionalText(each.group) &&
                typeof each.min === 'number' &&
                typeof each.max === 'number',
        )
    );
}

/** Programs have a judge's result; the result of a module or a command may be anything. */
function findJudgedProblem(result: Json | undefined, verdict: string): string | null {
    if (!isJsonObject(result)) return null;
    if (result.verdict !== undefined && result.verdict !== verdict) {
        return `"result" says ${JSON.stringify(result.verdict)}, its last attempt ${verdict}`;
    }
    if (typeof result.accepted === 'boolean' && result.accepted !== (verdict === 'Accepted')) {
        return `"accepted" is ${result.accepted}, the verdict ${verdict}`;
    }
    if (result.tests !== undefined && !(Array.isArray(result.tests) && result.tests.every(isTest))) {
        return '"tests" is not a list of tests';
    }
    return null;
}

function isTest(value: Json): boolean {
    return (
        isJsonObject(value) &&
        typeof value.passed === 'boolean' &&
        (value.verdict === undefined || isVerdict(value.verdict)) &&
        [value.cpu_time, value.wall_time, value.memory].every((figure) => figure === null || isAmount(figure))
    );
}

function findAttemptProblem(value: Json): string | null {
    if (!isJsonObject(value)) return 'an attempt is not an object';
    const { verdict, failure } = value;
    const fine =
        isCount(value.attempt) &&
        (verdict === undefined ? typeof failure === 'string' : isVerdict(verdict)) &&
        typeof value.started_at === 'string' &&
        isAmount(value.duration) &&
        typeof value.api_used === 'string' &&
        typeof value.worker_id === 'string';
    return fine ? null : 'an attempt is not what it should be';
}

function isLimits(value: Json): boolean {
    return (
        isJsonObject(value) &&
        isAmount(value.time) &&
        (value.memory === null || isAmount(value.memory)) &&
        isAmount(value.output)
    );
}

export function isComputedLimits(value: Json): value is Json & ComputedLimits {
    return (
        isJsonObject(value) &&
        isAmount(value.time) &&
        isAmount(value.slowest) &&
        typeof value.group_fingerprint === 'string' &&
        (value.computed_at === undefined || typeof value.computed_at === 'string') &&
        (value.load === undefined || hasAmounts(value.load, ['average', 'processors'])) &&
        (value.cut === undefined || hasAmounts(value.cut, ['programs', 'timeout']))
    );
}

const hasAmounts = (value: Json, keys: readonly string[]): boolean =>
    isJsonObject(value) && keys.every((key) => isAmount(value[key]));

function findTaskProblem(value: Json): string | null {
    if (!isJsonObject(value)) return 'not an object';
    const fine = typeof value.group === 'string' && isCount(value.index) && typeof value.reason === 'string';
    return fine ? null : 'group, index or reason is not what it should be';
}

function openTaskProblem(value: Json): string | null {
    const problem = findTaskProblem(value);
    if (problem !== null || !isJsonObject(value)) return problem;
    if (typeof value.fingerprint !== 'string' || typeof value.message !== 'string') {
        return 'fingerprint or message is missing';
    }
    if (!isOptionalCount(value.occurrence) || !isOptionalCount(value.revision)) {
        return 'occurrence or revision is not a number';
    }
    if (!Array.isArray(value.attempts)) return '"attempts" is not a list';
    for (const attempt of value.attempts) {
        const wrong = findAttemptProblem(attempt);
        if (wrong !== null) return wrong;
    }
    const { tests, steps } = value;
    if (steps !== undefined && !isJsonObject(steps)) return '"steps" is not an object';
    return tests === undefined || (Array.isArray(tests) && tests.every(isTest))
        ? null
        : '"tests" is not a list of tests';
}
