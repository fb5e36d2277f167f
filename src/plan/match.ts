import type { StoredEntry } from '../model/checkpoint.js';
import type { PlanTask } from './sample-plan.js';

/** Which finished entry belongs to which task of a group, and which entries belong to no task. */
export interface Matching {
    /** By task index; undefined for tasks that are not finished. */
    readonly byIndex: readonly (StoredEntry | undefined)[];
    readonly unmatched: readonly StoredEntry[];
}

/**
 * Matches by fingerprint. If a dataset was reordered, results move to the new indexes. Equal programs keep their own index where
 * possible; the rest take the free indexes in order.
 */
export function matchByFingerprint(tasks: readonly PlanTask[], entries: readonly StoredEntry[]): Matching {
    const byIndex: (StoredEntry | undefined)[] = Array.from({ length: tasks.length });
    const moved: StoredEntry[] = [];
    for (const stored of entries) {
        const { index, fingerprint } = stored.entry;
        if (index !== null && tasks[index]?.fingerprint === fingerprint && byIndex[index] === undefined) {
            byIndex[index] = stored;
        } else {
            moved.push(stored);
        }
    }
    if (moved.length === 0) return { byIndex, unmatched: [] };
    const free = freeIndexes(tasks, byIndex, (task) => task.fingerprint);
    // Match equal tasks by occurrence: records of the results database are identified by it.
    moved.sort((a, b) => (a.entry.occurrence ?? 0) - (b.entry.occurrence ?? 0));
    const unmatched = moved.filter((stored) => {
        const index = free.get(stored.entry.fingerprint ?? '')?.shift();
        if (index === undefined) return true;
        byIndex[index] = stored;
        return false;
    });
    return { byIndex, unmatched };
}

/**
 * Matches entries of the earlier tools, which have neither index nor fingerprint, by exact source. The language only breaks ties;
 * PYTHON there stands for both Pythons. Each of several equal sources matches once. Position is never used.
 */
export function matchBySource(tasks: readonly PlanTask[], entries: readonly StoredEntry[]): Matching {
    const byIndex: (StoredEntry | undefined)[] = Array.from({ length: tasks.length });
    const free = freeIndexes(tasks, byIndex, (task) => task.source());
    // Match the closest languages first, so that ties are not broken by chance.
    let waiting = entries;
    for (const agrees of [isSameLanguage, areBothPython, acceptAnyLanguage]) {
        waiting = waiting.filter((stored) => {
            const indexes = free.get(stored.entry.solution ?? null) ?? [];
            const at = indexes.findIndex((index) => agrees(getLanguage(tasks[index]), stored.entry.language));
            const index = at === -1 ? undefined : indexes.splice(at, 1)[0];
            if (index === undefined) return true;
            byIndex[index] = stored;
            return false;
        });
    }
    const extracted = waiting.filter((stored) => stored.file !== undefined);
    if (extracted.length === 0) return { byIndex, unmatched: waiting };
    // A server that extracts the source from a message drops trailing white space.
    const trimmed = freeIndexes(tasks, byIndex, (task) => task.source()?.trimEnd() ?? null);
    const matched = new Set<StoredEntry>();
    for (const stored of extracted) {
        const index = trimmed.get(stored.entry.solution?.trimEnd() ?? null)?.shift();
        if (index === undefined) continue;
        byIndex[index] = stored;
        matched.add(stored);
    }
    return { byIndex, unmatched: waiting.filter((stored) => !matched.has(stored)) };
}

type LanguageTest = (language: string | undefined, written: string | undefined) => boolean;

const isSameLanguage: LanguageTest = (language, written) => language === written;
const areBothPython: LanguageTest = (language, written) =>
    language?.startsWith('PYTHON') === true && written?.toUpperCase().startsWith('PYTHON') === true;
const acceptAnyLanguage: LanguageTest = () => true;

const getLanguage = (task: PlanTask | undefined): string | undefined =>
    task?.input.kind === 'program' ? task.input.language : undefined;

function freeIndexes<Key>(
    tasks: readonly PlanTask[],
    byIndex: readonly (StoredEntry | undefined)[],
    keyOf: (task: PlanTask) => Key,
): Map<Key, number[]> {
    const free = new Map<Key, number[]>();
    tasks.forEach((task, index) => {
        if (byIndex[index] !== undefined) return;
        const key = keyOf(task);
        if (key === null) return;
        const list = free.get(key);
        if (list === undefined) free.set(key, [index]);
        else list.push(index);
    });
    return free;
}
