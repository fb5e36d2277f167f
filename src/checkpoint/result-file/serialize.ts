import type { StoredEntry } from '../../model/checkpoint.js';
import { isJsonObject } from '../../model/json.js';

/*
 * The text of a result file. Indentation (4 spaces) goes down to an entry's own keys and those of its `result`; a test, an
 * attempt and the limits take one line each, so that a file of hundreds of submissions stays a few megabytes and remains
 * readable.
 */

/** JSON on one line, with a space after every colon and comma. Keys whose value is undefined are left out. */
export function serializeOnOneLine(value: unknown): string {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    if (typeof value !== 'object' || value === null) return 'null';
    if (Array.isArray(value)) return `[${value.map(serializeOnOneLine).join(', ')}]`;
    let text = '';
    const members = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members)) {
        const member = members[key];
        if (member === undefined) continue;
        text += `${text === '' ? '' : ', '}${quoteKey(key)}: ${serializeOnOneLine(member)}`;
    }
    return `{${text}}`;
}

/** JSON texts of keys, which repeat by the million; at most as many as this are kept. */
const quotedKeys = new Map<string, string>();
const MAX_QUOTED_KEYS = 1000;

function quoteKey(key: string): string {
    const known = quotedKeys.get(key);
    if (known !== undefined) return known;
    const quoted = JSON.stringify(key);
    if (quotedKeys.size < MAX_QUOTED_KEYS && key.length < 100) quotedKeys.set(key, quoted);
    return quoted;
}

/** Keys of an entry in the order in which they are written; others (of later versions) follow. */
const ENTRY_KEYS = [
    'index',
    'language',
    'solution',
    'row',
    'row_text',
    'cell',
    'result',
    'adopted',
    'limits',
    'attempts',
    'fingerprint',
    'name',
    'expected',
    'expected_scores',
    'occurrence',
    'revision',
] as const;
const KNOWN_KEYS: ReadonlySet<string> = new Set(ENTRY_KEYS);

const COMMA = ',\n';
const ENTRY_INDENT = ' '.repeat(8);
const KEY_INDENT = ' '.repeat(12);

/**
 * One entry of `<group>_result`, indented in place and followed by a comma: this halves the pieces to write. `dropComma` removes
 * it.
 */
export function serializeEntry(entry: StoredEntry['entry']): Buffer {
    const lines: string[] = [];
    for (const key of ENTRY_KEYS) {
        const value = entry[key];
        if (value !== undefined) lines.push(`${KEY_INDENT}"${key}": ${formatEntryValue(key, value)}`);
    }
    for (const key of Object.keys(entry)) {
        if (KNOWN_KEYS.has(key)) continue;
        const value = (entry as Readonly<Record<string, unknown>>)[key];
        if (value !== undefined) lines.push(`${KEY_INDENT}${quoteKey(key)}: ${serializeOnOneLine(value)}`);
    }
    return Buffer.from(`${ENTRY_INDENT}{\n${lines.join(',\n')}\n${ENTRY_INDENT}}${COMMA}`);
}

export const dropComma = (entry: Buffer): Buffer => entry.subarray(0, entry.length - COMMA.length);

function formatEntryValue(key: string, value: unknown): string {
    if (key === 'attempts' && Array.isArray(value)) return formatLinePerItem(value, KEY_INDENT);
    if (key === 'result' && isJsonObject(value)) return serializeResult(value);
    return serializeOnOneLine(value);
}

function serializeResult(result: object): string {
    const indent = `${KEY_INDENT}    `;
    const lines: string[] = [];
    const members = result as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(members)) {
        const value = members[key];
        if (value === undefined) continue;
        const text =
            key === 'tests' && Array.isArray(value)
                ? formatLinePerItem(value, indent)
                : serializeOnOneLine(value);
        lines.push(`${indent}${quoteKey(key)}: ${text}`);
    }
    return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${KEY_INDENT}}`;
}

function formatLinePerItem(items: readonly unknown[], indent: string): string {
    if (items.length === 0) return '[]';
    return `[\n${items.map((item) => `${indent}    ${serializeOnOneLine(item)}`).join(',\n')}\n${indent}]`;
}

/** Everything of a result file except the contents of its entries. */
export interface FileLayout {
    readonly id: string;
    /** Groups in order, with the tasks that count and the serialised entries, sorted by index. */
    readonly groups: readonly {
        readonly name: string;
        readonly total: number;
        readonly entries: readonly { readonly bytes: Buffer }[];
    }[];
    readonly apiUsed: string;
    readonly workerId: string;
    /** Lists after `progress`, by key; empty ones are left out. */
    readonly lists: readonly (readonly [key: string, items: readonly unknown[]])[];
    readonly computedLimits: object | null;
    /** See `Checkpoint`; 0 is left out. */
    readonly retiredRevision: number;
    /** Id of the run. The last key of the file, so that it can be found without reading all of it (run-id.ts). */
    readonly run: string | null;
}

/** The bytes of a result file as chunks: the serialised entries unchanged, and the text between them. */
export function serializeFile(layout: FileLayout): Buffer[] {
    const chunks: Buffer[] = [];
    let text = `{\n    "id": ${JSON.stringify(layout.id)},\n`;
    for (const group of layout.groups) {
        text += `    ${JSON.stringify(`${group.name}_result`)}: [`;
        if (group.entries.length === 0) {
            text += '],\n';
            continue;
        }
        chunks.push(Buffer.from(`${text}\n`));
        const last = group.entries.length - 1;
        group.entries.forEach(({ bytes }, position) => {
            chunks.push(position === last ? dropComma(bytes) : bytes);
        });
        text = '\n    ],\n';
    }
    chunks.push(Buffer.from(text + serializeTail(layout)));
    return chunks;
}

function serializeTail(layout: FileLayout): string {
    const progress: string[] = [];
    let isComplete = true;
    for (const { name, total, entries } of layout.groups) {
        progress.push(`        ${JSON.stringify(`completed_${name}s`)}: ${entries.length}`);
        progress.push(`        ${JSON.stringify(`total_${name}s`)}: ${total}`);
        if (entries.length !== total) isComplete = false;
    }
    progress.push(`        "is_complete": ${isComplete}`);
    const members = [
        `    "api_used": ${JSON.stringify(layout.apiUsed)}`,
        `    "worker_id": ${JSON.stringify(layout.workerId)}`,
        `    "progress": {\n${progress.join(',\n')}\n    }`,
    ];
    for (const [key, items] of layout.lists) {
        if (items.length > 0) members.push(`    "${key}": ${formatLinePerItem(items, '    ')}`);
    }
    if (layout.computedLimits !== null)
        members.push(`    "computed_limits": ${serializeOnOneLine(layout.computedLimits)}`);
    if (layout.retiredRevision > 0) members.push(`    "retired_revision": ${layout.retiredRevision}`);
    if (layout.run !== null) members.push(`    "run": ${JSON.stringify(layout.run)}`);
    return `${members.join(',\n')}\n}\n`;
}
