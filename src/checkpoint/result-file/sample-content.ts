import type { SampleState, StoredEntry, SupersededEntry } from '../../model/checkpoint.js';
import type { ComputedLimits, Entry, OpenTask, SkippedTask } from '../../model/entry.js';
import { withLabels } from '../../model/expectation.js';
import {
    type EntryFigures,
    readFigures,
    countOpenTasks,
    type SampleTally,
    tallySample,
} from '../../model/tally.js';
import { setNextRevision, type RevisedTask } from './revision.js';
import { serializeEntry, serializeFile, dropComma } from './serialize.js';

/** A finished task in memory: its text, made once, and what a tally needs. The entry itself is not kept. */
interface Slot {
    readonly bytes: Buffer;
    readonly figures: EntryFigures;
    readonly revision: number;
}

interface Group {
    readonly name: string;
    readonly total: number;
    readonly byIndex: Map<number, Slot>;
    /** Sorted by index when `sorted`; rebuilt before a rewrite otherwise. */
    order: Slot[];
    sorted: boolean;
}

/** The content of one sample's file, as it will be written next. */
export class SampleContent {
    readonly id: string;
    readonly #groups = new Map<string, Group>();
    readonly #failures: Map<string, OpenTask>;
    readonly #pending: Map<string, OpenTask>;
    readonly #skipped: readonly SkippedTask[];
    #computedLimits: ComputedLimits | null;
    #retiredRevision: number;
    #apiUsed = 'local';
    #workerId = '';
    #superseded: SupersededEntry[];
    /** Tasks that had no result when work began, minus those that have one now. */
    #missing: number;

    constructor(state: SampleState) {
        this.id = state.id;
        for (const [name, total] of state.totals) {
            this.#groups.set(name, { name, total, byIndex: new Map(), order: [], sorted: true });
        }
        this.#failures = mapByTask(state.failures);
        this.#pending = mapByTask(state.pending);
        this.#skipped = state.skipped;
        this.#computedLimits = state.computedLimits;
        this.#superseded = [...state.superseded];
        // A task that returns must outrank the retirement of its former record, which counts one more than that record. A loop,
        // because there may be more superseded entries than a call takes arguments.
        this.#retiredRevision = state.retiredRevision;
        for (const { stored } of state.superseded) {
            if (stored.entry.fingerprint === null) continue;
            this.#retiredRevision = Math.max(this.#retiredRevision, (stored.entry.revision ?? 1) + 1);
        }
        this.#missing = state.totals.reduce((sum, [, total]) => sum + total, 0) - state.kept.length;
        for (const { group, index, fingerprint, occurrence, stored, labels } of state.kept) {
            const before = stored.entry;
            const isRenumbered = before.occurrence !== undefined && before.occurrence !== occurrence;
            const isOther = before.index !== index || isRenumbered || labels !== undefined;
            const hasChanged = before.index !== null && isOther;
            const entry = {
                ...withLabels(before, labels),
                index,
                fingerprint,
                ...(occurrence > 0 || before.occurrence !== undefined ? { occurrence } : {}),
            };
            // A task that takes the place of an equal one must also outrank the retirement of that one's record.
            const recorded = [before.revision ?? 1, isRenumbered ? this.#retiredRevision : 0];
            this.#put(group, hasChanged ? setNextRevision(entry, recorded) : entry);
            const last = stored.entry.attempts.at(-1);
            if (last !== undefined) this.setWriter(last.api_used, last.worker_id);
        }
    }

    setWriter(apiUsed: string, workerId: string): void {
        this.#apiUsed = apiUsed;
        this.#workerId = workerId;
    }

    /** Adds a finished task; what it replaces waits for `takeSuperseded`. Returns the entry as it is written, and its bytes. */
    commit(group: string, finished: Entry): { readonly entry: Entry; readonly bytes: number } {
        const entry = this.#revised(group, finished);
        const replaced = this.#put(group, entry);
        if (replaced !== undefined) {
            this.#superseded.push({ group, reason: 'replaced', stored: toStoredEntry(replaced) });
        } else {
            this.#missing -= 1;
        }
        const key = makeTaskKey(group, entry.index);
        this.#failures.delete(key);
        this.#pending.delete(key);
        return { entry, bytes: this.#groups.get(group)?.byIndex.get(entry.index)?.bytes.length ?? 0 };
    }

    /** With the revision that follows the one recorded for the task. */
    #revised<T extends RevisedTask>(group: string, task: T): T {
        const key = makeTaskKey(group, task.index);
        const recorded = [
            this.#groups.get(group)?.byIndex.get(task.index)?.revision,
            this.#revisionOfOpen(key),
            this.#retiredRevision === 0 ? undefined : this.#retiredRevision,
        ];
        return setNextRevision(task, recorded);
    }

    /** Revision of the failure last recorded for a task; undefined if there was none. */
    #revisionOfOpen(key: string): number | undefined {
        const failure = this.#failures.get(key);
        return failure === undefined ? this.#pending.get(key)?.revision : (failure.revision ?? 1);
    }

    #put(groupName: string, entry: Entry): Slot | undefined {
        const group = this.#groups.get(groupName);
        if (group === undefined) throw new Error(`bug in resume-run: ${this.id} has no group ${groupName}`);
        const figures = readFigures(entry);
        if (figures === null) throw new Error(`bug in resume-run: an entry without a verdict in ${this.id}`);
        const slot: Slot = { bytes: serializeEntry(entry), figures, revision: entry.revision ?? 1 };
        const replaced = group.byIndex.get(entry.index);
        group.byIndex.set(entry.index, slot);
        const last = group.order.at(-1);
        if (group.sorted && (last === undefined || last.figures.index < entry.index)) group.order.push(slot);
        else group.sorted = false;
        return replaced;
    }

    /** Returns the note as it is written, and about how many bytes it adds to the file. */
    note(kind: 'failures' | 'pending', noted: OpenTask): { readonly task: OpenTask; readonly bytes: number } {
        const key = makeTaskKey(noted.group, noted.index);
        const before = this.#revisionOfOpen(key);
        const { revision: _, ...open } = noted;
        const pending = before === undefined ? open : { ...open, revision: before };
        const task = kind === 'failures' ? this.#revised(noted.group, noted) : pending;
        this.#failures.delete(key);
        this.#pending.delete(key);
        (kind === 'failures' ? this.#failures : this.#pending).set(key, task);
        const steps = task.steps === undefined ? 0 : JSON.stringify(task.steps).length;
        return { task, bytes: 512 + 1024 * (task.tests?.length ?? 0) + steps };
    }

    /**
     * True when the last missing result has arrived, so that there is nothing to wait for. (Re-runs of a finished sample do not
     * count.)
     */
    get isWhole(): boolean {
        return this.#missing === 0;
    }

    get computedLimits(): ComputedLimits | null {
        return this.#computedLimits;
    }

    setComputedLimits(limits: ComputedLimits): void {
        this.#computedLimits = limits;
    }

    /** Entries that the next rewrite loses; the caller must keep them. */
    takeSuperseded(): readonly SupersededEntry[] {
        const taken = this.#superseded;
        this.#superseded = [];
        return taken;
    }

    /** The whole file in its present state. @param run id of the run */
    render(run: string | null): Buffer[] {
        return serializeFile({
            id: this.id,
            groups: [...this.#groups.values()].map((group) => ({
                name: group.name,
                total: group.total,
                entries: sortSlots(group),
            })),
            apiUsed: this.#apiUsed,
            workerId: this.#workerId,
            lists: [
                ['failures', [...this.#failures.values()]],
                ['pending', [...this.#pending.values()]],
                ['skipped', this.#skipped],
            ],
            computedLimits: this.#computedLimits,
            retiredRevision: this.#retiredRevision,
            run,
        });
    }

    /** Entries of a group by index, parsed back from their text: rarely needed, so they are not kept twice. */
    getEntries(groupName: string): readonly Entry[] {
        const group = this.#groups.get(groupName);
        return group === undefined ? [] : sortSlots(group).map(parseEntry);
    }

    tally(): SampleTally {
        const open = {
            skipped: this.#skipped,
            failures: [...this.#failures.values()],
            pending: [...this.#pending.values()],
        };
        const groups = [...this.#groups.values()].map((group) => ({
            name: group.name,
            total: group.total,
            entries: sortSlots(group).map((slot) => slot.figures),
            ...countOpenTasks(open, group.name),
        }));
        return tallySample(this.id, groups);
    }
}

function sortSlots(group: Group): readonly Slot[] {
    if (!group.sorted) {
        group.order = [...group.byIndex.values()].sort((a, b) => a.figures.index - b.figures.index);
        group.sorted = true;
    }
    return group.order;
}

const parseEntry = (slot: Slot): Entry => JSON.parse(dropComma(slot.bytes).toString()) as Entry;

function toStoredEntry(slot: Slot): StoredEntry {
    return { entry: parseEntry(slot) };
}

const makeTaskKey = (group: string, index: number): string => `${index} ${group}`;

function mapByTask(tasks: readonly OpenTask[]): Map<string, OpenTask> {
    return new Map(tasks.map((task) => [makeTaskKey(task.group, task.index), task]));
}
