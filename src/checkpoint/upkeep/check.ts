import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { listEntries, listFiles } from '../../host/listing.js';
import { openFile } from '../../host/open-file.js';
import { NotAFileError } from '../../util/regular-file.js';
import { parseStagingHolder } from '../../host/staging-name.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { OUTPUTS_FOLDER } from '../../model/output-file.js';
import { getIoCode } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { ArchiveList } from './archive-list.js';
import { checkArchives } from './check-archives.js';
import { OutputCheck } from './check-outputs.js';
import { nameCheckerFile } from '../earlier/checker-file.js';
import { isEarlierResultName } from '../earlier/folder.js';
import type { Finding } from './finding.js';
import { EARLIER, SUPERSEDED } from '../result-file/keep-old.js';
import { FileNames } from '../result-file/names.js';
import { parseCheckpoint, type RawFile } from '../result-file/parse.js';
import { readRawFileAtOnce } from '../result-file/read-file.js';
import { readRunFile } from '../run-directory/run-file.js';

export interface CheckOptions {
    readonly dir: string;
    /** `checkpoints/<dir name>` */
    readonly checkpointsDir: string;
    /** Ids of runs that are writing here: their temporary files are not leftovers. */
    readonly living: ReadonlySet<string>;
    /** We hold the lock, so output files that nothing names do not belong to an entry that is about to be saved. */
    readonly holdsLock: boolean;
    /** Ids of all samples that the datasets hold now; null if unknown. */
    readonly samples: ReadonlySet<string> | null;
}

/** Inspects everything in a results directory and reports what is wrong. Changes nothing. */
export async function* checkDirectory(options: CheckOptions): AsyncGenerator<Finding> {
    const seen = new Map<string, string[]>();
    const outputs = await OutputCheck.open(options.dir);
    const state = { seen, outputs, isOfSample: nameTest(options.samples) };
    for (const [at, file] of (await listNames(options.dir)).entries()) {
        yield* checkFile(file, options, state);
        if (at % FILES_BETWEEN_TURNS === 0) await setImmediate();
    }
    for (const [id, files] of seen) {
        if (files.length > 1) yield { kind: 'duplicate id', id, files: sortFiles(id, files) };
    }
    for (const folder of ['', EARLIER]) {
        for (const file of await listNames(join(options.checkpointsDir, folder))) {
            if (isLeftover(file, options)) yield { kind: 'leftover', file: join(folder, file) };
        }
    }
    for (const [name, folder] of [
        [OUTPUTS_FOLDER, join(options.dir, OUTPUTS_FOLDER)],
        [EARLIER, join(options.checkpointsDir, EARLIER)],
    ] as const) {
        yield* checkUsable(name, () => listFiles(folder));
    }
    for (const file of await listNames(join(options.dir, OUTPUTS_FOLDER))) {
        if (isLeftover(file, options)) yield { kind: 'leftover', file: join(OUTPUTS_FOLDER, file) };
    }
    yield* checkLog(options.checkpointsDir, outputs);
    yield* checkUsable('run.json', () => readRunFile(options.checkpointsDir));
    let archives: ArchiveList | null = null;
    yield* checkUsable('archive.json', async () => {
        archives = await ArchiveList.load(options.checkpointsDir);
    });
    const areArchivesRead = archives !== null && (yield* checkArchives(archives, outputs));
    yield* outputs.namedFiles();
    if (archives !== null && areArchivesRead && (options.holdsLock || options.living.size === 0)) {
        yield* outputs.unnamedFiles(listFilesThatName(options, archives));
    }
}

/** After so many files the lock's heartbeat gets its turn, because small files are read by synchronous calls. */
const FILES_BETWEEN_TURNS = 256;

/** Every file that may contain the name of an output file. */
async function* listFilesThatName(options: CheckOptions, archives: ArchiveList): AsyncGenerator<string> {
    for (const dir of [options.dir, options.checkpointsDir, join(options.checkpointsDir, EARLIER)]) {
        for (const file of await listEntries(dir)) {
            if (!file.isDirectory()) yield join(dir, file.name);
        }
    }
    yield* new Set([...archives.ids()].map((id) => archives.findPath(id) ?? ''));
}

/** What reading result files reveals, besides findings. */
interface CheckState {
    /** Files by the sample they hold. */
    readonly seen: Map<string, string[]>;
    readonly outputs: OutputCheck;
    /** Whether a run looks for results under this name; null if unknown. */
    readonly isOfSample: (file: string) => boolean | null;
}

/** Works out the names of all samples on first use. */
function nameTest(samples: ReadonlySet<string> | null): CheckState['isOfSample'] {
    let known: ReadonlySet<string> | null = null;
    return (file) => {
        if (samples === null) return null;
        if (known === null) {
            const names = new FileNames(samples);
            known = new Set([...samples].flatMap((id) => [...names.candidates(id)]));
        }
        return known.has(file);
    };
}

async function* checkFile(
    file: string,
    options: CheckOptions,
    { seen, outputs, isOfSample }: CheckState,
): AsyncGenerator<Finding> {
    if (parseStagingHolder(file) !== null) {
        if (isLeftover(file, options)) yield { kind: 'leftover', file };
        return;
    }
    if (/\.json\.corrupt-\d{8}T\d{6}Z(?:-\d+)?$/.test(file)) {
        yield { kind: 'set aside', file };
        return;
    }
    if (!file.endsWith('.json')) {
        if (file.startsWith('.')) return;
        const results = (await listNames(join(options.dir, file))).filter(isEarlierResultName).length;
        yield results > 0 ? { kind: 'earlier folder', file, results } : { kind: 'stranger', file };
        return;
    }
    const read = await readOrTell(join(options.dir, file));
    if (read === null) return;
    if (typeof read === 'string') {
        yield { kind: 'unparseable', file, why: read, isOfSample: isOfSample(file) };
        return;
    }
    const { checkpoint, raw } = read;
    const { id } = checkpoint;
    outputs.addCheckpoint(checkpoint, file);
    if (checkpoint.origin === 'earlier' && file === nameCheckerFile(id)) {
        yield { kind: 'earlier checker', file, id };
        return;
    }
    const holders = seen.get(id);
    if (holders === undefined) seen.set(id, [file]);
    else holders.push(file);
    const names = new FileNames([id]);
    if (![...names.candidates(id)].includes(file)) {
        yield { kind: 'wrong name', file, id, expected: names.getFile(id) };
    } else if (options.samples?.has(id) === false) {
        yield { kind: 'removed sample', file, id };
    }
    if (checkpoint.origin === 'earlier') yield { kind: 'earlier tool', file, id };
    else yield* checkContent(file, checkpoint, raw);
}

interface ReadFile {
    readonly checkpoint: Checkpoint;
    readonly raw: RawFile;
}

/** @returns what is wrong with the file as text; null if it disappeared meanwhile */
async function readOrTell(path: string): Promise<ReadFile | string | null> {
    try {
        const read = await readRawFileAtOnce(path);
        if (read === null) return null;
        const { raw, stamp } = read;
        if (typeof raw === 'string') return raw;
        const parsed = parseCheckpoint(raw, null, stamp);
        switch (parsed.kind) {
            case 'checkpoint':
                return { checkpoint: parsed.checkpoint, raw };
            case 'corrupt':
                return parsed.why;
            case 'other':
                return `it is of ${parsed.id}`;
        }
    } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
    }
}

function* checkContent(file: string, checkpoint: Checkpoint, raw: RawFile): Generator<Finding> {
    const { id, entries, totals } = checkpoint;
    const progress = raw.members.get('progress') ?? null;
    const said = isJsonObject(progress) ? progress : {};
    let complete = true;
    for (const [group, list] of entries) {
        const indexes = new Set<number | null>();
        for (const { entry } of list) {
            if (entry.index !== null && indexes.has(entry.index)) {
                yield { kind: 'duplicate index', file, group, index: entry.index };
            }
            indexes.add(entry.index);
        }
        const total = totals.get(group) ?? 0;
        if (list.length !== total) complete = false;
        if (list.length > total) yield { kind: 'too many entries', file, group, entries: list.length, total };
        const key = `completed_${group}s`;
        if (said[key] !== list.length) {
            const what = `${key} says ${describeValue(said[key])}, but ${list.length} entries are there`;
            yield { kind: 'totals disagree', file, id, what };
        }
    }
    if (said.is_complete !== complete) {
        const what = `is_complete says ${describeValue(said.is_complete)}, but ${complete ? 'nothing' : 'something'} is left to do`;
        yield { kind: 'totals disagree', file, id, what };
    }
}

const describeValue = (value: Json | undefined): string =>
    value === undefined ? 'nothing' : JSON.stringify(value);

const isLeftover = (file: string, options: CheckOptions): boolean => {
    const holder = parseStagingHolder(file);
    return holder !== null && !options.living.has(holder);
};

/** The file that a run would take comes first. */
function sortFiles(id: string, files: readonly string[]): string[] {
    const order = [...new FileNames([id]).candidates(id)];
    const rank = (file: string): number => (order.includes(file) ? order.indexOf(file) : order.length);
    return [...files].sort((a, b) => rank(a) - rank(b));
}

async function* checkLog(dir: string, outputs: OutputCheck): AsyncGenerator<Finding> {
    let line = 0;
    try {
        const handle = await openFile(join(dir, SUPERSEDED));
        for await (const content of handle.readLines()) {
            line += 1;
            if (content === '') continue;
            const entry = parseSupersededEntry(content);
            if (entry === null) yield { kind: 'torn log', file: SUPERSEDED, line };
            else outputs.add(entry, SUPERSEDED);
        }
    } catch (error) {
        if (error instanceof NotAFileError) yield { kind: 'unusable', file: SUPERSEDED, why: error.message };
        else if (getIoCode(error) !== 'ENOENT') throw error;
    }
}

/** The entry of a line; null if the line is incomplete. */
function parseSupersededEntry(line: string): Readonly<Record<string, Json>> | null {
    try {
        const json = JSON.parse(line) as Json;
        if (!isJsonObject(json)) return null;
        return isJsonObject(json.entry) ? json.entry : {};
    } catch {
        return null;
    }
}

async function* checkUsable(file: string, use: () => Promise<unknown>): AsyncGenerator<Finding> {
    try {
        await use();
    } catch (error) {
        if (!(error instanceof UserError)) throw error;
        yield { kind: 'unusable', file, why: error.message };
    }
}

async function listNames(dir: string): Promise<string[]> {
    try {
        return (await readdir(dir)).sort();
    } catch (error) {
        if (getIoCode(error) === 'ENOENT' || getIoCode(error) === 'ENOTDIR') return [];
        throw error;
    }
}
