import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { readSuccessLevel } from '../../model/success-level.js';
import type { RecordInput } from '../record/record.js';

/*
 * One result in the format that the earlier runners passed around, and that functions and model batches still return: an object
 * with well-known keys. Both kinds of spool files, result files and the library's `addBatchResult` are read through this one
 * table.
 */

/** The fields that such an object determines. */
export type EarlierFields = Omit<
    Partial<RecordInput>,
    'run' | 'sample' | 'group' | 'fingerprint' | 'occurrence'
>;

/** Names of the error counters, and the `error_type` that increments each. */
export const ERROR_COUNTERS = {
    tool_call_format: 'tool_call_format_errors',
    timeout: 'timeout_errors',
    dependency: 'dependency_errors',
    parameter_config: 'parameter_config_errors',
    tool_selection: 'tool_selection_errors',
    sequence_order: 'sequence_order_errors',
    max_turns: 'max_turns_errors',
    other: 'other_errors',
} as const;

/** Other names that the earlier classifiers used for the same errors. */
const ERROR_SYNONYMS: Readonly<Record<string, keyof typeof ERROR_COUNTERS>> = {
    format: 'tool_call_format',
    format_error: 'tool_call_format',
    parameter: 'parameter_config',
    sequence: 'sequence_order',
};

/** The text under the first of several names that has one; null if none has. */
function readText(source: JsonObject, ...names: readonly string[]): string | null {
    for (const name of names) {
        const value = source[name];
        if (typeof value === 'string' && value !== '') return value;
    }
    return null;
}

function readNumber(source: JsonObject, ...names: readonly string[]): number | null {
    for (const name of names) {
        const value = source[name];
        if (typeof value === 'number' && Number.isFinite(value)) return value;
    }
    return null;
}

function readInteger(source: JsonObject, ...names: readonly string[]): number | null {
    const value = readNumber(source, ...names);
    return value === null || Math.abs(value) > Number.MAX_SAFE_INTEGER ? null : Math.round(value);
}

function readBoolean(source: JsonObject, name: string): boolean | null {
    const value = source[name];
    return typeof value === 'boolean' ? value : null;
}

/** A count given as a number, or as the list of the counted items. */
function readCount(value: Json | undefined): number | null {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return Array.isArray(value) ? value.length : null;
}

/**
 * A tool success rate as a fraction. The earlier writers gave it as 0.8, 1.0 or 100.0.
 * @returns also whether it was read as a percentage: above 1 and at most 100
 */
export function readRate(value: number | null): {
    readonly rate: number | null;
    readonly wasPercent: boolean;
} {
    const wasPercent = value !== null && value > 1 && value <= 100;
    return { rate: wasPercent ? value / 100 : value, wasPercent };
}

/**
 * The record fields that an object of the earlier runners holds; fields it does not mention are null.
 * @param onPercent called when a rate was read as a percentage
 */
export function readEarlierFields(source: JsonObject, onPercent: (rate: number) => void): EarlierFields {
    const given = readNumber(source, 'tool_success_rate', 'tool_reliability');
    const { rate, wasPercent } = readRate(given);
    if (wasPercent && given !== null) onPercent(given);
    const model = readText(source, 'model');
    const dimensions = source['dimensions'];
    return {
        model,
        model_raw: readText(source, 'model_raw') ?? model,
        deployment: readText(source, 'deployment'),
        finish_reason: readText(source, 'finish_reason'),
        prompt_type: readText(source, 'prompt_type'),
        tool_success_rate: rate,
        difficulty: readText(source, 'difficulty'),
        task_type: readText(source, 'task_type'),
        instance: readInstance(source),
        row_hash: readText(source, 'row_hash'),
        ...readFlaw(source),
        dimensions: isJsonObject(dimensions) ? JSON.stringify(dimensions) : null,
        turns: readCount(source['turns']),
        tool_calls: readCount(source['tool_calls']),
        coverage: readCoverage(source),
        workflow_score: readNumber(source, 'workflow_score'),
        phase2_score: readNumber(source, 'phase2_score'),
        quality_score: readNumber(source, 'quality_score'),
        final_score: readNumber(source, 'final_score'),
        ...readErrorCounts(source),
        assisted_failure: readFlag(source, 'assisted_failure'),
        assisted_success: readFlag(source, 'assisted_success'),
        assisted_turns: readInteger(source, 'assisted_turns', 'total_assisted_turns'),
        ...readUsage(source),
    };
}

function readInstance(source: JsonObject): string | null {
    for (const name of ['instance', 'test_instance']) {
        const value = source[name];
        if (typeof value === 'string' || typeof value === 'number') return String(value);
    }
    return null;
}

/** `prompt_type: "flawed_tool_misuse"` also names the flaw. */
function readFlaw(source: JsonObject): Pick<EarlierFields, 'is_flawed' | 'flaw_type'> {
    const prompt = readText(source, 'prompt_type') ?? '';
    const inPrompt = prompt.startsWith('flawed_') ? prompt.slice('flawed_'.length) : null;
    const flaw = readText(source, 'flaw_type') ?? inPrompt;
    return {
        is_flawed: readBoolean(source, 'is_flawed') ?? (inPrompt === null ? null : true),
        flaw_type: flaw,
    };
}

function readCoverage(source: JsonObject): number | null {
    const given = readNumber(source, 'coverage', 'tool_coverage_rate');
    if (given !== null) return given;
    const { required_tools: required, executed_tools: executed } = source;
    if (!Array.isArray(required) || !Array.isArray(executed) || required.length === 0) return null;
    const called = new Set<unknown>(executed);
    const wanted = new Set<unknown>(required);
    return [...wanted].filter((tool) => called.has(tool)).length / wanted.size;
}

function readErrorCounts(source: JsonObject): EarlierFields {
    const counters = Object.values(ERROR_COUNTERS);
    const counted = Object.fromEntries(counters.map((name) => [name, readInteger(source, name)]));
    const type = readText(source, 'error_class', 'error_type');
    const isCounted = counters.some((name) => counted[name] !== null);
    if (type === null || isCounted) return { ...counted, error_class: type };
    const word = type.toLowerCase().replace(/_errors?$/, '');
    const known = Object.hasOwn(ERROR_COUNTERS, word) ? (word as keyof typeof ERROR_COUNTERS) : undefined;
    return { ...counted, [ERROR_COUNTERS[known ?? ERROR_SYNONYMS[word] ?? 'other']]: 1, error_class: type };
}

function readFlag(source: JsonObject, name: string): number | null {
    const value = source[name];
    return typeof value === 'boolean' ? Number(value) : readInteger(source, name);
}

function readUsage(source: JsonObject): EarlierFields {
    const usage = isJsonObject(source['usage']) ? source['usage'] : {};
    const all = { ...usage, ...source };
    return {
        prompt_tokens: readInteger(all, 'prompt_tokens'),
        cached_tokens: readInteger(all, 'cached_tokens'),
        completion_tokens: readInteger(all, 'completion_tokens'),
        reasoning_tokens: readInteger(all, 'reasoning_tokens'),
        cost: readNumber(source, 'cost'),
    };
}

/** Characters of an error message; some have the output of a whole program in them. */
const MAX_MESSAGE_LENGTH = 64 * 1024;

/**
 * Builds a whole record from an object of the earlier runners.
 * @param batch SHA-256 of the batch that it came in. Together with `occurrence` this identifies the object: the same
 *   file read twice gives the same keys, two different files never do.
 * @param occurrence its number among equal objects of the batch, from 0
 */
export function buildEarlierRecord(
    source: JsonObject,
    batch: string,
    occurrence: number,
    onPercent: (rate: number) => void,
): RecordInput {
    const level = readSuccessLevel(source);
    const session = readText(source, '_collector_session', 'session_id');
    const fields = readEarlierFields(source, onPercent);
    const seconds = readNumber(source, 'execution_time');
    const finished = readTime(source['timestamp'] ?? source['_collector_timestamp']);
    return {
        ...fields,
        run: `earlier-${hashParts(session === null ? ['batch', batch] : ['session', session]).slice(0, 12)}`,
        sample: readText(source, 'task_id', 'test_id') ?? cellName(fields),
        group: 'instance',
        fingerprint: `record-sha256-${hashParts([batch, readEarlierText(source)])}`,
        occurrence,
        revision: 1,
        attempts: 1,
        verdict: level === null ? null : level === 'full' ? 'Accepted' : 'WrongAnswer',
        accepted: level === null ? null : level === 'full',
        success_level: level,
        wall_time: seconds,
        finished_at: finished,
        started_at:
            finished === null || seconds === null
                ? null
                : new Date(Date.parse(finished) - seconds * 1000).toISOString(),
        failure_reason: level === null ? 'no-result' : null,
        failure_message: readText(source, 'error_message')?.slice(0, MAX_MESSAGE_LENGTH) ?? null,
    };
}

/** The text that equal objects share: everything except the marks that the collector added. */
export function readEarlierText(source: JsonObject): string {
    return JSON.stringify(
        Object.entries(source)
            .filter(([key]) => key !== '_collector_index')
            .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
}

function cellName(fields: EarlierFields): string {
    const { model_raw: model, prompt_type: prompt, tool_success_rate: rate, difficulty } = fields;
    return [model, prompt, rate, difficulty, fields.task_type, fields.instance]
        .map((part) => part ?? '-')
        .join('/');
}

/** ISO 8601. The earlier tools wrote local time without a zone; it is read as UTC so that the result is the same everywhere. */
function readTime(value: Json | undefined): string | null {
    if (typeof value !== 'string') return null;
    const time = new Date(/(?:Z|[+-]\d\d:\d\d)$/.test(value) ? value : `${value}Z`);
    return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

const hashParts = (parts: readonly string[]): string =>
    createHash('sha256').update(JSON.stringify(parts)).digest('hex');
