import { VERDICTS } from './verdict.js';

/*
 * The data of a run that the HTML page receives: the contract between `report/html`, which writes it, and `src/page`, which reads
 * it. Columns of numbers with dictionaries of texts: half a million entries take a few megabytes and open at once. The long parts
 * of an entry (source, output, answers) are stored separately, in chunks that are opened on demand.
 */

/** How a task ended: the verdicts, then the outcomes without one. Values of the column are positions in this list. */
export const OUTCOMES = [...VERDICTS, 'failed', 'pending', 'skipped'] as const;

export type TaskOutcome = (typeof OUTCOMES)[number];

/** Bits of the column `flags`. */
export const FLAG_UNEXPECTED = 1;
export const FLAG_NEAR_LIMIT = 2;
export const FLAG_ABOVE_OWN_LIMIT = 4;
/** A solution that scored in part, as its dataset allows. */
export const FLAG_IN_PART = 8;

/**
 * Columns of the entries: integers, or reals (32 bits). A column whose values are all 0 is left out. Texts are numbers into the
 * dictionary with the column's name, 0 for none.
 */
export const ENTRY_COLUMNS = {
    /** Position in `samples`. Entries are sorted by it. */
    sample: 'integer',
    /** Position in `groups`. */
    group: 'integer',
    index: 'integer',
    /** Position in `OUTCOMES`. */
    outcome: 'integer',
    flags: 'integer',
    /** Dictionary; several verdicts are joined by a space. */
    expected: 'integer',
    language: 'integer',
    name: 'integer',
    /** Seconds of the slowest test. */
    time: 'real',
    /** Seconds that the last attempt took. */
    duration: 'real',
    /** Bytes, peak. */
    memory: 'real',
    /** Seconds: the time limit it ran under. */
    limit: 'real',
    /** Position of the first test that did not pass, from 1. */
    failedTest: 'integer',
    /** The cause: reason of a failure or a skip, signal, exception, compiler error. */
    cause: 'integer',
    attempts: 'integer',
    /** 1 + the score in thousandths; 0: none. */
    score: 'integer',
    endpoint: 'integer',
    /** Seconds from `startedAt` in the header to the start of its first attempt, plus 1; 0: unknown. */
    started: 'integer',
    model: 'integer',
    promptType: 'integer',
    difficulty: 'integer',
    taskType: 'integer',
    promptTokens: 'integer',
    completionTokens: 'integer',
    /** US dollars. */
    cost: 'real',
    /** 32 bits of a hash of fingerprint and occurrence: pairs the tasks of two runs. */
    task: 'integer',
    /** 32 bits of a hash of the row that an instance of a matrix asks, never 0; 0: it has none. */
    row: 'integer',
    /** Chunk with its long parts, from 1; 0: they are not in the file. */
    chunk: 'integer',
    /** Position in the chunk. */
    slot: 'integer',
} as const satisfies Readonly<Record<string, 'integer' | 'real'>>;

export type EntryColumn = keyof typeof ENTRY_COLUMNS;

export const TEXT_COLUMNS = [
    'expected',
    'language',
    'name',
    'cause',
    'endpoint',
    'model',
    'promptType',
    'difficulty',
    'taskType',
] as const satisfies readonly EntryColumn[];

export type TextColumn = (typeof TEXT_COLUMNS)[number];

export type ColumnValues = Uint32Array | Float32Array;

/** Everything but the columns. */
export interface PageHeader {
    readonly format: 1;
    /** The results directory as the user typed it. */
    readonly dir: string;
    /** Version of this program. */
    readonly version: string;
    /** ISO 8601, UTC. */
    readonly generatedAt: string;
    /** Milliseconds since the epoch: the earliest attempt; 0 if there is none. */
    readonly startedAt: number;
    readonly datasets: readonly string[];
    /** How outputs were compared, by dataset format; null if unknown. */
    readonly comparison: Readonly<Record<string, string>> | null;
    /** Ids, in natural order. */
    readonly samples: readonly string[];
    readonly groups: readonly string[];
    /** Tasks that count, by sample, then by group. */
    readonly totals: readonly (readonly number[])[];
    /** Samples whose file exists but which the datasets no longer hold: counted nowhere. */
    readonly removed: number;
    readonly entries: number;
    readonly dictionaries: Readonly<Record<TextColumn, readonly string[]>>;
    readonly leftOut: LeftOut | null;
}

/** Entries whose long parts did not fit into the file. */
export interface LeftOut {
    readonly entries: number;
    /** Bytes available for the long parts in the file, compressed. */
    readonly budget: number;
}

/** A text that may have been cut. */
export interface ShownText {
    readonly text: string;
    /** The original number of characters, or of bytes if the result file had already cut it; absent: it is complete. */
    readonly cutFrom?: number;
}

/** The long parts of an entry. */
export interface EntryDetail {
    readonly source?: ShownText;
    /** A row of a list, as JSON. */
    readonly row?: ShownText;
    readonly message?: ShownText;
    readonly limits?: { readonly time?: number; readonly memory?: number | null; readonly output?: number };
    readonly attempts: readonly AttemptDetail[];
    /** Tests in order: passed or its verdict, seconds, bytes. */
    readonly tests?: readonly TestDetail[];
    /** Number of further tests that are not listed. */
    readonly moreTests?: number;
    readonly failure?: FailedTestDetail;
    /** For a problem with scores: the submission's score, and the highest possible one if known. */
    readonly points?: { readonly score: number; readonly best?: number };
    readonly testGroups?: readonly TestGroupDetail[];
    /** Other parts of a result, as JSON: what a function or a command returned. */
    readonly result?: ShownText;
    readonly chat?: ChatDetail;
    readonly adapted?: readonly string[];
    readonly compiler?: string;
    readonly fingerprint?: string;
}

export interface AttemptDetail {
    readonly attempt: number;
    readonly ending: string;
    readonly startedAt: string;
    readonly duration: number;
    readonly where: string;
    readonly message?: ShownText;
}

export type TestDetail = readonly [
    ending: string,
    time: number | null,
    memory: number | null,
    name: string,
    score?: number,
];

export interface TestGroupDetail {
    readonly name: string;
    readonly verdict: string;
    readonly score: number | null;
}

/** The first test that did not pass. */
export interface FailedTestDetail {
    /** From 1. */
    readonly position: number;
    readonly name: string;
    readonly verdict: string;
    readonly difference?: { readonly line: number; readonly expected: string; readonly got: string };
    readonly checkerMessage?: ShownText;
    /** For an interactive problem: lines of the validator after `<`, of the program after `>`. */
    readonly transcript?: ShownText;
    readonly returnCode?: number;
    readonly signal?: string;
    readonly stdout?: ShownText;
    readonly stderr?: ShownText;
    readonly compilerOutput?: ShownText;
    /** If the dataset is available. */
    readonly input?: ShownText;
    readonly expectedOutput?: ShownText;
    /** Why input and expected output are not shown. */
    readonly missing?: string;
}

export interface ChatDetail {
    readonly turns: readonly { readonly role: string; readonly text: ShownText }[];
    readonly answer?: ShownText;
    readonly reasoning?: ShownText;
    readonly expected?: ShownText;
    readonly scorer?: string;
    readonly reason?: ShownText;
}

/** The header, and how the columns are laid out in bytes. */
interface PackedHeader extends PageHeader {
    readonly columns: readonly EntryColumn[];
}

/**
 * Header and columns in one piece: length of the header (4 bytes, little-endian), the header as JSON, then each column. A
 * column's bytes are stored in planes, all first bytes, then all second ones: this puts equal bytes next to each other, which
 * halves the size after gzip.
 */
export function packPage(
    header: PageHeader,
    columns: Readonly<Partial<Record<EntryColumn, ColumnValues>>>,
): Uint8Array<ArrayBuffer> {
    const names = (Object.keys(ENTRY_COLUMNS) as EntryColumn[]).filter(
        (name) => columns[name]?.some((value) => value !== 0) === true,
    );
    const packed: PackedHeader = { ...header, columns: names };
    const text = new TextEncoder().encode(JSON.stringify(packed));
    const bytes = new Uint8Array(4 + text.length + names.length * 4 * header.entries);
    new DataView(bytes.buffer).setUint32(0, text.length, true);
    bytes.set(text, 4);
    let at = 4 + text.length;
    for (const name of names) {
        const values = columns[name];
        if (values === undefined) continue;
        const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        for (let plane = 0; plane < 4; plane += 1) {
            for (let entry = 0; entry < header.entries; entry += 1)
                bytes[at + entry] = raw[entry * 4 + plane] ?? 0;
            at += header.entries;
        }
    }
    return bytes;
}

/** The reverse of `packPage`; columns that were left out are zeros. */
export function unpackPage(bytes: Uint8Array): {
    readonly header: PageHeader;
    readonly columns: Readonly<Record<EntryColumn, ColumnValues>>;
} {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as PackedHeader;
    const { entries } = header;
    const columns: Partial<Record<EntryColumn, ColumnValues>> = {};
    const zeros = new Uint32Array(entries);
    for (const name of Object.keys(ENTRY_COLUMNS) as EntryColumn[]) columns[name] = zeros;
    let at = 4 + length;
    for (const name of header.columns) {
        const raw = new Uint8Array(entries * 4);
        for (let plane = 0; plane < 4; plane += 1) {
            for (let entry = 0; entry < entries; entry += 1) raw[entry * 4 + plane] = bytes[at + entry] ?? 0;
            at += entries;
        }
        columns[name] =
            ENTRY_COLUMNS[name] === 'real' ? new Float32Array(raw.buffer) : new Uint32Array(raw.buffer);
    }
    return { header, columns: columns as Record<EntryColumn, ColumnValues> };
}
