import { join } from 'node:path';
import type { Checkpoint, FileStamp, StoredEntry, SupersededEntry } from '../../model/checkpoint.js';
import { isJsonObject } from '../../model/json.js';
import { getVerdict } from '../../model/tally.js';
import { makeEarlierName } from '../result-file/names.js';
import { isImported } from '../result-file/parse.js';
import { readRawFile } from '../result-file/read-file.js';
import { normalizeCheckedEntry } from './normalize.js';

/*
 * `<id>_checker.json` beside `<id>.json`: the earlier tools' verdicts after a checker had looked at the outputs. People trusted
 * these verdicts, so they take precedence.
 */

const SUFFIX = '_checker.json';

/** Name of the checker file of a sample; null if no file can have it. */
export function nameCheckerFile(id: string): string | null {
    const name = makeEarlierName(id);
    return name === null ? null : name.slice(0, -'.json'.length) + SUFFIX;
}

type Groups = ReadonlyMap<string, readonly StoredEntry[]>;

/**
 * Entries of a checker file by group; null if the file does not belong to this sample. @throws UserError (exit 2) if it cannot be
 * read
 */
export async function readCheckerFile(
    dir: string,
    name: string,
    id: string,
): Promise<{ readonly groups: Groups; readonly stamp: FileStamp } | null> {
    const read = await readRawFile(join(dir, name));
    if (read === null || typeof read.raw === 'string') return null;
    const own = read.raw.members.get('id');
    if (own !== undefined && own !== id) return null;
    const groups = new Map<string, readonly StoredEntry[]>();
    for (const [group, list] of read.raw.groups) {
        const entries = list.filter(isJsonObject);
        // One of our own files, for a sample whose id happens to end like that.
        if (entries.some((entry) => entry.fingerprint !== undefined)) return null;
        groups.set(group, entries.map(normalizeCheckedEntry));
    }
    return groups.size === 0 ? null : { groups, stamp: read.stamp };
}

/**
 * A checkpoint with the verdicts of its checker file. Of a file of the earlier tools any entry may change; of one of ours only
 * entries that were taken over from them, and what they said goes to superseded.jsonl.
 */
export function applyCheckerFile(checkpoint: Checkpoint, file: string, groups: Groups): Checkpoint {
    const replaced: SupersededEntry[] = [];
    const entries = new Map(checkpoint.entries);
    let changedVerdicts = 0;
    for (const [group, checked] of groups) {
        const bySource = groupBySource(checked);
        const own = entries.get(group) ?? [];
        const merged = own.map((stored) => {
            if (checkpoint.origin === 'resume-run' && !isImported(stored.entry)) return stored;
            const better = takeCounterpart(bySource, stored);
            const verdict = better === null ? null : getVerdict(better.entry);
            if (better === null || verdict === null || verdict === getVerdict(stored.entry)) return stored;
            changedVerdicts += 1;
            if (checkpoint.origin === 'earlier') return better;
            replaced.push({ group, reason: `${file} says otherwise`, stored });
            const { result } = better.entry;
            return { entry: { ...stored.entry, result, revision: (stored.entry.revision ?? 1) + 1 } };
        });
        const missing = checkpoint.origin === 'earlier' ? [...bySource.values()].flat() : [];
        if (own.length > 0 || missing.length > 0) entries.set(group, [...merged, ...missing]);
    }
    return {
        ...checkpoint,
        entries,
        earlier: {
            folder: checkpoint.earlier?.folder ?? null,
            checkerFile: file,
            changedVerdicts,
            unusable: checkpoint.earlier?.unusable ?? [],
        },
        ...(replaced.length === 0 ? {} : { replaced }),
    };
}

function groupBySource(entries: readonly StoredEntry[]): Map<string, StoredEntry[]> {
    const bySource = new Map<string, StoredEntry[]>();
    for (const stored of entries) {
        const source = stored.entry.solution;
        if (source === undefined) continue;
        const list = bySource.get(source);
        if (list === undefined) bySource.set(source, [stored]);
        else list.push(stored);
    }
    return bySource;
}

/** The checker's entry of the same program, which is used up; the language only breaks ties. */
function takeCounterpart(bySource: Map<string, StoredEntry[]>, { entry }: StoredEntry): StoredEntry | null {
    const list = entry.solution === undefined ? undefined : bySource.get(entry.solution);
    if (list === undefined || list.length === 0) return null;
    const same = list.findIndex((other) => other.entry.language === entry.language);
    return list.splice(Math.max(0, same), 1)[0] ?? null;
}
