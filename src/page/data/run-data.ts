import {
    type ColumnValues,
    type EntryColumn,
    FLAG_IN_PART,
    FLAG_UNEXPECTED,
    OUTCOMES,
    type PageHeader,
    type TaskOutcome,
    type TextColumn,
    unpackPage,
} from '../../model/page-data.js';
import { readOnSamples } from '../../model/sample-tests.js';
import { VERDICTS } from '../../model/verdict.js';

const ACCEPTED = VERDICTS.indexOf('Accepted');

/** One run in columns, with the queries that are used often. Entries are numbered from 0 to `count - 1`. */
export class RunData {
    readonly header: PageHeader;
    readonly columns: Readonly<Record<EntryColumn, ColumnValues>>;
    readonly count: number;
    /** The first entry of each sample, plus an end position. */
    readonly starts: Uint32Array;
    readonly #summaries: SampleSummary[];

    constructor(bytes: Uint8Array) {
        const { header, columns } = unpackPage(bytes);
        this.header = header;
        this.columns = columns;
        this.count = header.entries;
        this.starts = findStarts(columns.sample, header.samples.length);
        this.#summaries = header.samples.map((_, sample) => summarise(this, sample));
    }

    get summaries(): readonly SampleSummary[] {
        return this.#summaries;
    }

    value(column: EntryColumn, entry: number): number {
        return this.columns[column][entry] ?? 0;
    }

    text(column: TextColumn, entry: number): string {
        return this.header.dictionaries[column][this.value(column, entry)] ?? '';
    }

    getSample(entry: number): string {
        return this.header.samples[this.value('sample', entry)] ?? '';
    }

    getGroup(entry: number): string {
        return this.header.groups[this.value('group', entry)] ?? '';
    }

    getOutcome(entry: number): TaskOutcome {
        return OUTCOMES[this.value('outcome', entry)] ?? 'pending';
    }

    hasFlag(entry: number, flag: number): boolean {
        return (this.value('flags', entry) & flag) !== 0;
    }

    isJudged(entry: number): boolean {
        return this.value('outcome', entry) < VERDICTS.length;
    }

    isAccepted(entry: number): boolean {
        return this.value('outcome', entry) === ACCEPTED;
    }

    /** Whether the verdict is what the dataset expects, or accepted where it expects nothing. */
    isRight(entry: number): boolean {
        if (this.value('expected', entry) === 0) return this.isAccepted(entry);
        return this.isJudged(entry) && !this.hasFlag(entry, FLAG_UNEXPECTED);
    }

    /** From 0 to 1; NaN if there is none. */
    getScore(entry: number): number {
        const stored = this.value('score', entry);
        return stored === 0 ? Number.NaN : (stored - 1) / 1000;
    }

    /** Whether any entry has a value in this column. */
    has(column: EntryColumn): boolean {
        return this.columns[column].some((value) => value !== 0);
    }

    /** Groups that contain tasks. */
    listGroups(): readonly string[] {
        const seen = new Set(this.columns.group);
        const { groups, totals } = this.header;
        return groups.filter((_, at) => seen.has(at) || totals.some((total) => (total[at] ?? 0) > 0));
    }

    /** Whether programs with known labels are judged: then the run evaluates the tests. */
    hasTestSets(): boolean {
        return this.listGroups().some((group) => {
            const kind = readOnSamples(group) ?? group;
            return kind === 'solution' || kind === 'incorrect_solution';
        });
    }

    /** @returns -1 if there is none */
    find(sample: string, group: string, index: number): number {
        const at = this.header.samples.indexOf(sample);
        const groupAt = this.header.groups.indexOf(group);
        if (at < 0 || groupAt < 0) return -1;
        for (let entry = this.starts[at] ?? 0; entry < (this.starts[at + 1] ?? 0); entry += 1)
            if (this.value('group', entry) === groupAt && this.value('index', entry) === index) return entry;
        return -1;
    }
}

/** The figures of one sample. */
export interface SampleSummary {
    readonly sample: number;
    readonly id: string;
    readonly rightAccepted: number;
    readonly rightJudged: number;
    /** Correct solutions that scored in part, as their dataset allows; not in any rate. */
    readonly rightInPart: number;
    readonly wrongRejected: number;
    readonly wrongJudged: number;
    /** Programs judged by the sample tests alone: those judged as labelled, and all of them. Not in any rate. */
    readonly samplesRight: number;
    readonly samplesJudged: number;
    /** For groups that contain neither correct nor incorrect solutions. */
    readonly otherAccepted: number;
    readonly otherJudged: number;
    readonly unexpected: number;
    readonly failed: number;
    readonly skipped: number;
    /** Tasks without a verdict that are neither failed nor skipped. */
    readonly open: number;
    /** The largest share of its time limit that a test of an accepted task used; NaN if unknown. */
    readonly slowest: number;
}

/** TPR, TNR, or the share accepted; NaN if nothing was judged. */
export function computeTpr({ rightAccepted, rightJudged }: SampleSummary): number {
    return rightJudged === 0 ? Number.NaN : rightAccepted / rightJudged;
}

export function computeTnr({ wrongRejected, wrongJudged }: SampleSummary): number {
    return wrongJudged === 0 ? Number.NaN : wrongRejected / wrongJudged;
}

export function computeSamplesShare({ samplesRight, samplesJudged }: SampleSummary): number {
    return samplesJudged === 0 ? Number.NaN : samplesRight / samplesJudged;
}

export function computeAcceptedShare({ otherAccepted, otherJudged }: SampleSummary): number {
    return otherJudged === 0 ? Number.NaN : otherAccepted / otherJudged;
}

function findStarts(samples: ColumnValues, count: number): Uint32Array {
    const starts = new Uint32Array(count + 1);
    for (const sample of samples) starts[sample + 1] = (starts[sample + 1] ?? 0) + 1;
    for (let sample = 0; sample < count; sample += 1)
        starts[sample + 1] = (starts[sample + 1] ?? 0) + (starts[sample] ?? 0);
    return starts;
}

function summarise(data: RunData, sample: number): SampleSummary {
    const { groups, totals } = data.header;
    const [right, wrong] = [groups.indexOf('solution'), groups.indexOf('incorrect_solution')];
    const onSamples = groups.map(readOnSamples);
    const sums = {
        rightAccepted: 0,
        rightJudged: 0,
        rightInPart: 0,
        wrongRejected: 0,
        wrongJudged: 0,
        samplesRight: 0,
        samplesJudged: 0,
        otherAccepted: 0,
        otherJudged: 0,
    };
    const other = { unexpected: 0, failed: 0, skipped: 0 };
    let slowest = Number.NaN;
    for (let entry = data.starts[sample] ?? 0; entry < (data.starts[sample + 1] ?? 0); entry += 1) {
        const outcome = data.getOutcome(entry);
        if (outcome === 'failed') other.failed += 1;
        if (outcome === 'skipped') other.skipped += 1;
        if (data.hasFlag(entry, FLAG_UNEXPECTED)) other.unexpected += 1;
        if (!data.isJudged(entry)) continue;
        const group = data.value('group', entry);
        const accepted = data.isAccepted(entry) ? 1 : 0;
        if (group === right && data.hasFlag(entry, FLAG_IN_PART)) {
            sums.rightInPart += 1;
        } else if (group === right) {
            sums.rightJudged += 1;
            sums.rightAccepted += accepted;
        } else if (group === wrong) {
            sums.wrongJudged += 1;
            sums.wrongRejected += 1 - accepted;
        } else if (onSamples[group] !== null) {
            sums.samplesJudged += 1;
            sums.samplesRight += onSamples[group] === 'solution' ? accepted : 1 - accepted;
        } else {
            sums.otherJudged += 1;
            sums.otherAccepted += accepted;
        }
        const limit = data.value('limit', entry);
        const share = limit > 0 ? data.value('time', entry) / limit : Number.NaN;
        if (accepted === 1 && share > 0 && !(slowest >= share)) slowest = share;
    }
    const judged =
        sums.rightJudged + sums.rightInPart + sums.wrongJudged + sums.samplesJudged + sums.otherJudged;
    const total = (totals[sample] ?? []).reduce((sum, one) => sum + one, 0);
    const open = Math.max(0, total - judged - other.failed);
    return { sample, id: data.header.samples[sample] ?? '', ...sums, ...other, open, slowest };
}
