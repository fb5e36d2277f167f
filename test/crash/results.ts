import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** An entry of a result file, with what the oracle looks at. */
export interface SeenEntry {
    readonly index: number;
    readonly result: { readonly key: string };
    readonly attempts: readonly { readonly attempt: number; readonly verdict?: string }[];
    readonly revision?: number;
}

export type ResultFile = Record<string, unknown> & { readonly id: string };

/** Every result file of a directory, by name. Fails the test if one does not parse. */
export function resultFiles(dir: string): Map<string, ResultFile> {
    if (!existsSync(dir)) return new Map();
    const names = readdirSync(dir).filter((name) => name.endsWith('.json'));
    return new Map(
        names.sort().map((name) => {
            const file = JSON.parse(readFileSync(join(dir, name), 'utf8')) as ResultFile;
            expect(typeof file.id, `the id in ${name}`).toBe('string');
            return [name, file];
        }),
    );
}

/** Entries of one file, by group. */
export function entriesOf(file: ResultFile): [group: string, entries: readonly SeenEntry[]][] {
    return Object.entries(file).flatMap(([key, value]) =>
        key.endsWith('_result') ? [[key.slice(0, -'_result'.length), value as readonly SeenEntry[]]] : [],
    );
}

/** Keys of all tasks that have a finished entry. */
export function finishedKeys(dir: string): Set<string> {
    const keys = new Set<string>();
    for (const file of resultFiles(dir).values()) {
        for (const [, entries] of entriesOf(file)) for (const { result } of entries) keys.add(result.key);
    }
    return keys;
}

/** The revision of every finished entry, by the key of its task. */
export function revisions(dir: string): Map<string, number> {
    const entries = [...resultFiles(dir).values()].flatMap((file) =>
        entriesOf(file).flatMap(([, list]) => list),
    );
    return new Map(entries.map(({ result, revision }) => [result.key, revision ?? 1]));
}

/** Keys of the entries that were replaced or no longer belong to a task. */
export function supersededKeys(checkpoints: string): string[] {
    const path = join(checkpoints, 'superseded.jsonl');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { entry: SeenEntry }).entry.result.key);
}

/** The part of a directory that must be the same however often it was killed: without times, workers and numbers of attempts. */
export function comparable(dir: string): Record<string, unknown> {
    const files = [...resultFiles(dir)].map(([name, file]) => [name, withoutCircumstances(file)]);
    return Object.fromEntries(files) as Record<string, unknown>;
}

function withoutCircumstances(file: ResultFile): Record<string, unknown> {
    const { worker_id: _, run: _id, ...rest } = file;
    for (const [group, entries] of entriesOf(file)) {
        rest[`${group}_result`] = entries.map((entry) => ({
            ...entry,
            attempts: entry.attempts.at(-1)?.verdict ?? 'none',
        }));
    }
    return rest;
}

/** The output of `comparable` without revisions, which count re-runs and edits that users asked for, and lost files. */
export function withoutRevisions(files: Record<string, unknown>): unknown {
    return JSON.parse(
        JSON.stringify(files, (key, value: unknown) =>
            key === 'revision' || key === 'retired_revision' ? undefined : value,
        ),
    );
}

/** Incomplete files in a folder: none may be left when a run has ended by itself. */
export function temporaryFiles(...folders: readonly string[]): string[] {
    return folders.flatMap((folder) =>
        existsSync(folder) ? readdirSync(folder).filter((name) => /\.tmp(\.\d+)?$/.test(name)) : [],
    );
}
