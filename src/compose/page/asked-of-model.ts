import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFile } from '../../checkpoint/run-directory/run-file.js';
import type { StoredEntry } from '../../model/checkpoint.js';
import { type ExactJson, isExactObject, parseExactJson } from '../../model/exact-json.js';
import { fillFields } from '../../model/field-template.js';
import { isJsonObject } from '../../model/json.js';
import { listOutputFiles, makeOutputPath } from '../../model/output-file.js';
import { getIoCode } from '../../util/io-error.js';

/** Maximum number of bytes read of a conversation. */
const MAX_CONVERSATION_BYTES = 4 * 1024 * 1024;

/** The messages that a model was sent; empty if the entry itself holds them, or no model was asked. */
export type ReadPrompts = (
    entry: StoredEntry['entry'],
    at: { readonly sample: string; readonly group: string },
) => readonly unknown[];

/**
 * An entry keeps the answer and the row. The messages are in a separate file if there were many turns; otherwise they are the
 * templates in run.json, filled with the row again.
 * @param dir results directory
 */
export function makeAskedReader(dir: string, run: Pick<RunFile, 'options'> | null): ReadPrompts {
    const { executor, 'prompt-template': prompt, system } = run?.options ?? {};
    const templates = [
        { role: 'system', template: system },
        { role: 'user', template: prompt },
    ].flatMap(({ role, template }) =>
        executor === 'chat' && typeof template === 'string' && template !== '' ? [{ role, template }] : [],
    );
    return (entry, { sample, group }) => {
        if (isJsonObject(entry.result) && 'messages_file' in entry.result) {
            for (const { sha256 } of listOutputFiles({ result: entry.result }))
                return readMessages(join(dir, makeOutputPath(sha256)));
        }
        if (entry.row === undefined || templates.length === 0) return [];
        const row = parseExactJson(JSON.stringify(entry.row));
        const values = {
            id: sample,
            group,
            index: String(entry.index ?? ''),
            input: JSON.stringify(entry.row),
        };
        return templates.flatMap(({ role, template }) => {
            const filled = fillFields(template, values, withoutSearch(row));
            return filled.kind === 'filled' && filled.text !== '' ? [{ role, content: filled.text }] : [];
        });
    };
}

/** Results of web searches are not kept; their placeholder stays visible. */
const withoutSearch = (row: ExactJson): ExactJson =>
    isExactObject(row) ? { search_results: '{search_results}', ...row } : row;

/** A list of messages; empty if the file is missing, not a file, or holds something else. */
function readMessages(path: string): readonly unknown[] {
    try {
        const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
        try {
            const stats = fstatSync(descriptor);
            if (!stats.isFile() || stats.size > MAX_CONVERSATION_BYTES) return [];
            const messages: unknown = JSON.parse(readFileSync(descriptor, 'utf8'));
            return Array.isArray(messages) ? messages : [];
        } finally {
            closeSync(descriptor);
        }
    } catch (error) {
        if (error instanceof SyntaxError || getIoCode(error) !== null) return [];
        throw error;
    }
}
