import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import { type RecordField, type FieldType, KEY_FIELDS, RECORD_FIELDS, RECORD_VERSION } from './fields.js';
import { DIGEST_BYTES } from './record-keys.js';
import type { RecordRows } from './record-rows.js';

type ValueOf<T extends FieldType> = T extends 'integer' | 'number'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'texts'
        ? readonly string[]
        : string;

type RowOf<F extends RecordField> = {
    readonly [One in F as One['name']]: ValueOf<One['type']> | (One['nullable'] extends true ? null : never);
};

/** One task that finished or was given up, as a flat row. The fields are those of fields.ts. */
export type ResultRecord = RowOf<(typeof RECORD_FIELDS)[number]>;

/** What identifies a record. */
export type RecordKey = Pick<ResultRecord, (typeof KEY_FIELDS)[number]>;

/** A record's key and revision, which decide which of two records counts. */
export type RecordVersion = RecordKey & Pick<ResultRecord, 'revision'>;

/** States that an entry was superseded: records with this key up to `revision` no longer count. */
export type Retirement = RecordVersion;

/** A change in a batch. For each key the highest revision wins; at equal revisions a retirement wins. Clocks play no part. */
export type RecordChange =
    | { readonly kind: 'record'; readonly record: ResultRecord }
    | { readonly kind: 'retirement'; readonly retirement: Retirement };

/** What a store keeps of a record: its line, not the whole object. */
export interface RecordLine {
    /** Output of `digestKey`. */
    readonly digest: Buffer;
    readonly revision: number;
    /** Output of `recordLine`. */
    readonly line: string;
    /** Names of all fields that it has, and perhaps more; one array may serve many lines. Absent: it may have any. */
    readonly fields?: readonly string[];
}

/** A change as read from a batch: checked, and ready to be stored. */
export type BatchChange =
    | { readonly kind: 'rows'; readonly rows: RecordRows }
    | ({ readonly kind: 'line' } & RecordLine)
    | Extract<RecordChange, { readonly kind: 'retirement' }>;

/** Input for a record: the key, the fields that cannot be null, and any others that are known. */
export type RecordInput = Omit<Partial<ResultRecord>, 'version'> &
    RecordKey &
    Pick<ResultRecord, 'revision' | 'attempts'>;

/** A value does not fit the schema. */
export class RecordError extends Error {
    override readonly name = 'RecordError';

    constructor(
        readonly field: string,
        readonly expected: string,
        readonly value: unknown,
    ) {
        super(`${field}: expected ${expected}, got ${JSON.stringify(value)?.slice(0, 80) ?? String(value)}`);
    }
}

/**
 * Makes a record in canonical form: every field present, in schema order, with values as both codecs return them.
 * @throws RecordError
 */
export function makeRecord(input: RecordInput): ResultRecord {
    return normalise({ ...input, version: RECORD_VERSION });
}

/** Fields that a task's entry gives directly, without reading its attempts, its tests or what its function returned. */
const BRIEF_FIELDS = [
    ...KEY_FIELDS,
    'revision',
    'index',
    'verdict',
    'accepted',
    'success_level',
    'expected',
    'score',
    'language',
] as const satisfies readonly (keyof ResultRecord)[];

/** The fields behind most rates, which take a fraction of the time of a whole record. */
export type BriefRecord = Pick<ResultRecord, (typeof BRIEF_FIELDS)[number]>;

export const isBriefField = (name: string): boolean => BRIEF_FIELDS.some((field) => field === name);

const BRIEF: readonly RecordField[] = RECORD_FIELDS.filter(({ name }) => isBriefField(name));

/**
 * Checks the fields and converts them to canonical form.
 * @throws RecordError
 */
export function makeBriefRecord(input: BriefRecord): BriefRecord {
    const row: Record<string, unknown> = { ...NO_BRIEF_VALUES };
    for (const field of BRIEF)
        row[field.name] = normaliseField(field, input[field.name as keyof BriefRecord]);
    return row as BriefRecord;
}

/**
 * Checks a record that was read from a file. Unknown keys, such as fields of a later version, are dropped.
 * @throws RecordError
 */
export function parseRecord(value: unknown): ResultRecord {
    if (!isJsonObject(value)) throw new RecordError('record', 'an object', value);
    return normalise(value);
}

/**
 * The same for callers that only store the record. A value as `recordLine` writes it is checked but not rebuilt, which is several
 * times as fast.
 * @throws RecordError
 */
export function parseRecordLine(value: unknown): RecordLine {
    if (!isCanonical(value)) return makeRecordLine(parseRecord(value));
    return { digest: digestKey(value), revision: value.revision, line: JSON.stringify(value) };
}

export const makeRecordLine = (record: ResultRecord): RecordLine => ({
    digest: digestKey(record),
    revision: record.revision,
    line: recordLine(record),
});

/** @throws RecordError */
export function parseRetirement(value: unknown): Retirement {
    if (!isJsonObject(value)) throw new RecordError('retirement', 'an object', value);
    const row: Record<string, unknown> = {};
    for (const field of RECORD_FIELDS) {
        if (RETIREMENT_FIELDS.has(field.name)) row[field.name] = normaliseField(field, value[field.name]);
    }
    return row as Partial<ResultRecord> as Retirement;
}

const RETIREMENT_FIELDS: ReadonlySet<string> = new Set([...KEY_FIELDS, 'revision']);

/** A record with every field null, to start from: adding sixty keys one by one takes ten times as long. */
export const NO_VALUES = Object.fromEntries(RECORD_FIELDS.map(({ name }) => [name, null])) as {
    readonly [Name in keyof ResultRecord]: null;
};

const NO_BRIEF_VALUES = Object.fromEntries(BRIEF_FIELDS.map((name) => [name, null]));

const POSITIONS: ReadonlyMap<string, number> = new Map(RECORD_FIELDS.map(({ name }, at) => [name, at]));
const REQUIRED: readonly RecordField[] = RECORD_FIELDS.filter(({ nullable }) => !nullable);

function normalise(value: object): ResultRecord {
    const source = value as { readonly [name: string]: unknown };
    const row: Record<string, unknown> = { ...NO_VALUES };
    for (const name of Object.keys(source)) {
        const field = RECORD_FIELDS[POSITIONS.get(name) ?? -1];
        if (field !== undefined) row[name] = normaliseField(field, source[name]);
    }
    for (const field of REQUIRED) normaliseField(field, row[field.name]);
    return row as Partial<ResultRecord> as ResultRecord;
}

/** Whether `recordLine` would give the value's own JSON: only known fields, in schema order, none of them null. */
function isCanonical(value: unknown): value is RecordKey & Pick<ResultRecord, 'revision'> & JsonObject {
    if (!isJsonObject(value)) return false;
    let before = -1;
    let required = 0;
    for (const name of Object.keys(value)) {
        const at = POSITIONS.get(name) ?? -1;
        const field = RECORD_FIELDS[at];
        if (field === undefined || at <= before || !isNormal(field.type, value[name])) return false;
        before = at;
        if (!field.nullable) required += 1;
    }
    return required === REQUIRED.length;
}

/** Whether `normaliseValue` would return the value unchanged. */
function isNormal(type: FieldType, value: unknown): boolean {
    return type === 'texts'
        ? Array.isArray(value) && value.every((one) => typeof one === 'string' && wellFormed(one) === one)
        : value !== undefined && normaliseValue(type, value) === value;
}

function normaliseField(field: RecordField, value: unknown): unknown {
    if (value === undefined || value === null) {
        if (field.nullable) return null;
        throw new RecordError(field.name, describeType(field.type), value);
    }
    const normal = normaliseValue(field.type, value);
    if (normal === undefined) throw new RecordError(field.name, describeType(field.type), value);
    return normal;
}

/** Undefined if the value does not have the type. */
function normaliseValue(type: FieldType, value: unknown): unknown {
    switch (type) {
        case 'text':
        case 'json':
            return typeof value === 'string' ? wellFormed(value) : undefined;
        case 'integer':
            return Number.isSafeInteger(value) ? Number(value) + 0 : undefined;
        case 'number':
            return Number.isFinite(value) ? Number(value) + 0 : undefined;
        case 'boolean':
            return typeof value === 'boolean' ? value : undefined;
        case 'time':
            return typeof value === 'string' ? normaliseTime(value) : undefined;
        case 'texts':
            return Array.isArray(value) && value.every((one) => typeof one === 'string')
                ? value.map(wellFormed)
                : undefined;
        default:
            return unreachable(type, 'field type');
    }
}

/** A lone surrogate is not valid UTF-8, and Parquet cannot hold it. */
function wellFormed(text: string): string {
    return /\p{Surrogate}/u.test(text) ? Buffer.from(text).toString() : text;
}

/** Times as we write them need no conversion. Leap days are left to the calendar. */
export const PLAIN_TIME =
    /(?:\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z)/;
const WHOLE_PLAIN_TIME = new RegExp(`^${PLAIN_TIME.source}$`);
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

function normaliseTime(text: string): string | undefined {
    if (WHOLE_PLAIN_TIME.test(text)) return text;
    if (!ISO_TIME.test(text)) return undefined;
    const time = new Date(text);
    return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function describeType(type: FieldType): string {
    switch (type) {
        case 'text':
            return 'text';
        case 'json':
            return 'JSON as text';
        case 'integer':
            return 'an integer';
        case 'number':
            return 'a number';
        case 'boolean':
            return 'true or false';
        case 'time':
            return 'a time like 2026-11-29T03:21:57.123Z';
        case 'texts':
            return 'a list of texts';
        default:
            return unreachable(type, 'field type');
    }
}

/** A record as one line of JSON, without the line break. Fields that are null are left out. */
export function recordLine(record: ResultRecord): string {
    const row: Record<string, unknown> = {};
    for (const { name } of RECORD_FIELDS) {
        const value = record[name];
        if (value !== null) row[name] = value;
    }
    return JSON.stringify(row);
}

/** Identifies a key: the first half of a SHA-256. In practice, only equal keys have equal digests. */
export function digestKey({ run, sample, group, fingerprint, occurrence }: RecordKey): Buffer {
    const text = JSON.stringify({ run, sample, group, fingerprint, occurrence }).slice(1, -1);
    return Buffer.from(hashKeyText(text).slice(0, DIGEST_BYTES), 'latin1');
}

/**
 * A Latin-1 string that starts with the bytes of the digest.
 * @param text the key's fields as written by `recordLine`, from the first name to the last value; or its bytes
 */
export const hashKeyText = (text: string | Uint8Array): string => hash('sha256', text, 'binary');
