import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFailed } from 'vitest';
import type { RunEvent } from '../../src/model/event.js';
import { type Cli, type CliResult, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_WORKERS } from '../rig/long.js';
import { type CrashDataset, keysOf, toJsonLines } from './dataset.js';
import {
    comparable,
    finishedKeys,
    revisions,
    supersededKeys,
    temporaryFiles,
    withoutRevisions,
} from './results.js';

export interface RunOptions {
    readonly args?: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
    /** See `startCli`. */
    readonly through?: readonly string[];
    /** What is done to the run while it is going on: kills, signals. */
    readonly meanwhile?: (cli: Cli) => void | Promise<void>;
    /** Runs it in this process: for undisturbed starts, and saves a third of a second of CPU time. */
    readonly inProcess?: boolean;
    /** For the report of a failed test: what is special about this run. */
    readonly what?: string;
}

/** One start of the program: how it ended, and what it did according to the markers and its own output. */
export interface RunRecord extends CliResult {
    readonly number: number;
    readonly events: readonly RunEvent[];
    /** Keys of the tasks that ran, once for each execution, sorted. */
    readonly executed: readonly string[];
    /** Keys of the tasks that the run reported as finished. */
    readonly acknowledged: ReadonlySet<string>;
    /** Keys that had a finished entry when it started. */
    readonly finishedBefore: ReadonlySet<string>;
}

/** Where a scene has its results, relative to its own folder, and what its tasks call. */
export interface Where {
    readonly under?: string;
    readonly export?: string;
}

const TASK = join(import.meta.dirname, 'task.mjs');

/** A dataset, a results directory and every start of the program on them. If the test fails, all starts are reported. */
export class Scene {
    readonly home = tempDir();
    readonly markers = join(this.home, 'markers');
    /** The highest revision seen for each task's record. */
    readonly #revisions = new Map<string, number>();
    readonly results: string;
    readonly folders = ['results', 'checkpoints'];
    /** No worker threads, because they would load their modules through the same thread, in a varying order. */
    readonly oneThread = ['--mode', 'async'];
    readonly #story: string[] = [];
    readonly #module: string;
    readonly #where: Where;
    #dataset: CrashDataset = [];
    #runs = 0;

    constructor(dataset: CrashDataset, where: Where = {}) {
        this.results = join(this.home, where.under ?? '.', 'results');
        this.#module = where.export === undefined ? TASK : `${TASK}#${where.export}`;
        this.#where = where;
        mkdirSync(this.markers);
        mkdirSync(join(this.home, 'tmp'));
        this.dataset = dataset;
        onTestFailed(() => {
            if (this.#story.length > 0) console.error(`${this.home}\n${this.story}`);
        });
    }

    get checkpoints(): string {
        return join(this.results, '..', 'checkpoints', basename(this.results));
    }

    get dataset(): CrashDataset {
        return this.#dataset;
    }

    set dataset(dataset: CrashDataset) {
        this.#dataset = dataset;
        writeFileSync(join(this.home, 'dataset.jsonl'), toJsonLines(dataset));
    }

    /** Adds a line to the report of a failed test. */
    tell(line: string): void {
        this.#story.push(line);
    }

    /** Every run so far, one line each. */
    get story(): string {
        return this.#story.join('\n');
    }

    /** After success: clears the report and removes the folder. */
    forget(): void {
        this.#story.length = 0;
        rmSync(this.home, { recursive: true, force: true });
    }

    /** Starts the program, waits for its end, and checks what must hold for every run, however it ended. */
    async run(options: RunOptions = {}): Promise<RunRecord> {
        const finishedBefore = finishedKeys(this.results);
        const record = await this.start(options, finishedBefore);
        this.#checkNothingLost(record);
        return record;
    }

    /** The same without any checks, for directories that the test has damaged. */
    async start(
        options: RunOptions = {},
        finishedBefore: ReadonlySet<string> = new Set(),
    ): Promise<RunRecord> {
        const number = ++this.#runs;
        const result = await this.#execute(number, options);
        const events = eventsIn(result.stdout);
        const record: RunRecord = {
            ...result,
            number,
            events,
            executed: this.#executedIn(number),
            acknowledged: new Set(events.flatMap((event) => this.#acknowledgedBy(event))),
            finishedBefore,
        };
        this.tell(
            `run ${number}${options.what === undefined ? '' : ` (${options.what})`}: ` +
                `exit ${record.code ?? record.signal}, ${record.executed.length} executed, ` +
                `${record.acknowledged.size} acknowledged${record.stderr === '' ? '' : `, said: ${record.stderr.trim()}`}`,
        );
        return record;
    }

    async #execute(
        number: number,
        { args, env, through, meanwhile, inProcess }: RunOptions,
    ): Promise<CliResult> {
        const place = { cwd: this.home, env: { ...this.#env(number), ...env } };
        if (inProcess === true) return callCli(this.args(['--mode', 'async', ...(args ?? [])]), place);
        const cli = startCli(this.args(args), { ...place, ...(through === undefined ? {} : { through }) });
        await meanwhile?.(cli);
        return cli.result;
    }

    /** The command line; `more` must not repeat any of its options. */
    args(more: readonly string[] = []): string[] {
        const line = ['dataset.jsonl', '--executor', 'module', '--module', this.#module];
        return line
            .concat(['--dir', this.results, '--json'])
            .concat(more.includes('-j') ? [] : ['-j', '2'])
            .concat(more.includes('--mode') ? [] : NO_WORKERS)
            .concat(more);
    }

    #env(number: number): NodeJS.ProcessEnv {
        return { CRASH_MARKERS: this.markers, CRASH_RUN: String(number), TMPDIR: join(this.home, 'tmp') };
    }

    /** A run without a kill: it must run exactly the tasks without a finished entry, each once, and exit 0. */
    async finish(options: RunOptions = {}): Promise<RunRecord> {
        const { through, meanwhile, env, args = [] } = options;
        const isPlain = through === undefined && meanwhile === undefined && env === undefined;
        const inProcess = isPlain && !args.includes('--mode');
        const record = await this.run({ what: 'to the end', inProcess, ...options });
        expect(record.code, record.stderr).toBe(0);
        const left = keysOf(this.dataset).filter((key) => !record.finishedBefore.has(key));
        expect(record.executed, 'exactly the unfinished tasks run').toEqual(left.sort());
        return record;
    }

    /**
     * Expects the files of an undisturbed run and no temporary files.
     * @param asked whether re-runs or edits were requested, which increase revisions; a kill alone changes none
     */
    async expectSameAsUninterrupted(asked: 'nothing' | 'changes' = 'nothing'): Promise<void> {
        const reference = await uninterrupted(this.dataset, this.#where);
        const found = comparable(this.results);
        if (asked === 'nothing') expect(found).toEqual(reference);
        else expect(withoutRevisions(found)).toEqual(withoutRevisions(reference));
        expect(temporaryFiles(this.results, this.checkpoints), 'nothing temporary is left').toEqual([]);
    }

    /** A changed record gets a higher revision; no revision ever decreases, whatever is killed. */
    #checkRevisions(): void {
        for (const [key, revision] of revisions(this.results)) {
            expect(revision, `revision of ${key}`).toBeGreaterThanOrEqual(this.#revisions.get(key) ?? 1);
            this.#revisions.set(key, revision);
        }
    }

    /** In every case: nothing acknowledged is lost, nothing finished is lost, nothing finished ran again. */
    #checkNothingLost(record: RunRecord): void {
        this.#checkRevisions();
        const now = finishedKeys(this.results);
        const kept = new Set([...now, ...supersededKeys(this.checkpoints)]);
        const lost = [...record.acknowledged, ...record.finishedBefore].filter((key) => !kept.has(key));
        expect(lost, 'finished results that are lost').toEqual([]);
        const again = record.executed.filter((key) => record.finishedBefore.has(key));
        expect(again, 'finished tasks that ran again').toEqual([]);
    }

    #executedIn(run: number): string[] {
        return readdirSync(this.markers)
            .map((name) => name.split('~'))
            .flatMap(([of, key]) => (of === String(run) && key !== undefined ? [key] : []))
            .sort();
    }

    #acknowledgedBy(event: RunEvent): string[] {
        if (event.type !== 'task-finished') return [];
        const sample = this.dataset.find(({ id }) => id === event.sample);
        const task = sample?.groups[event.group]?.[event.index];
        if (task === undefined) throw new Error(`no task ${event.sample} ${event.group} ${event.index}`);
        return [task.key];
    }
}

/** Whole lines only, because a kill may cut the last one. */
function eventsIn(stdout: string): RunEvent[] {
    return stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as RunEvent);
}

const references = new Map<string, Promise<Record<string, unknown>>>();

/** Result files of an undisturbed run of this dataset, as returned by `comparable`. */
function uninterrupted(dataset: CrashDataset, where: Where): Promise<Record<string, unknown>> {
    const key = JSON.stringify([dataset, where]);
    let reference = references.get(key);
    if (reference === undefined) {
        reference = runUndisturbed(dataset, where);
        references.set(key, reference);
    }
    return reference;
}

async function runUndisturbed(dataset: CrashDataset, where: Where): Promise<Record<string, unknown>> {
    const scene = new Scene(dataset, where);
    await scene.finish({ what: 'the uninterrupted one', args: ['-j', '8'] });
    return comparable(scene.results);
}
