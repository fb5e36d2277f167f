import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type onTestFinished } from 'vitest';
import { ResultCollector } from '../../src/legacy.js';
import { auditDatabase } from '../../src/results/ask/audit.js';
import { readManifest } from '../../src/results/store/manifest.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { type CliResult, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { LONG, SEED, sampled } from '../rig/long.js';
import {
    type CallSite,
    type Injection,
    runInjected,
    type Subject,
    touchesOurs,
    traceCalls,
    whyNoInjection,
} from './inject.js';
import type { RunOptions } from './scene.js';

const reason = whyNoInjection();
if (reason !== null) console.error(`faults of the results database: skipped, ${reason}`);

/**
 * Results in the spool or the database before the command that meets a fault: a first, a last, and one in between. More would
 * only add calls of the same kinds.
 */
const TASKS = 3;

/** Concurrent attempts: while one starts the program, another checks what its own has left. */
const AT_ONCE = 2;

/** One command on a copy of a prepared folder. */
class DatabaseScene implements Subject {
    readonly home: string;
    readonly folders = ['database', 'temp_results', 'copy'];
    readonly oneThread = [];
    readonly #story: string[] = [];

    constructor(
        private readonly tried: Tried,
        template: string,
        whenFinished: typeof onTestFinished,
    ) {
        this.home = tempDir(whenFinished);
        cpSync(template, this.home, { recursive: true });
    }

    get story(): string {
        return this.#story.join('\n');
    }

    tell(line: string): void {
        this.#story.push(line);
    }

    async run({ env, through, meanwhile, what }: RunOptions): Promise<CliResult> {
        const cli = startCli([...this.tried.command], {
            cwd: this.home,
            ...(env === undefined ? {} : { env }),
            ...(through === undefined ? {} : { through }),
        });
        await meanwhile?.(cli);
        const result = await cli.result;
        this.tell(
            `${what ?? 'undisturbed'}: exit ${result.code ?? result.signal}, said: ${result.stderr.trim()}`,
        );
        return result;
    }

    /** Runs the command to its end; undisturbed, it needs no separate process. */
    async finish(options: RunOptions = {}): Promise<void> {
        const { code, stderr } =
            options.through === undefined
                ? await callCli(this.tried.command, { cwd: this.home })
                : await this.run(options);
        expect(code, stderr).toBe(0);
    }

    /**
     * Checks that every record occurs once in one complete generation and that no batch is lost; `isFinished` if the command
     * succeeded.
     */
    async check(isFinished: boolean): Promise<void> {
        const database = join(this.home, 'database');
        const samples = await this.#readSamples('database');
        const spool = join(this.home, 'temp_results');
        const waiting = existsSync(spool)
            ? readdirSync(spool).filter((name) => name.endsWith('.json')).length
            : 0;
        // Each batch holds one result and is retired only after it was committed.
        expect(samples.length + waiting).toBeGreaterThanOrEqual(TASKS);
        if (this.tried.makesDatabase !== true) expect(existsSync(join(database, 'manifest.json'))).toBe(true);
        if (!isFinished) return;
        expect([samples.length, waiting]).toEqual([TASKS, 0]);
        expect(await auditDatabase(database)).toEqual([]);
        if (this.tried.replaces === undefined) return;
        const kept = readdirSync(this.home).filter((name) => name.startsWith('database.before-restore-'));
        const counts = await Promise.all(kept.map(async (name) => (await this.#readSamples(name)).length));
        expect(counts).toContain(this.tried.replaces);
    }

    /** Samples of the records in a database, each once. */
    async #readSamples(name: string): Promise<readonly string[]> {
        const samples: string[] = [];
        const dir = join(this.home, name);
        if (existsSync(join(dir, 'manifest.json')))
            for await (const records of await (await readGeneration(dir)).records())
                samples.push(...records.map(({ sample }) => sample));
        expect(new Set(samples).size, name).toBe(samples.length);
        return samples;
    }

    remove(): void {
        rmSync(this.home, { recursive: true, force: true });
    }
}

/** A command into which faults are injected. */
interface Tried {
    readonly name: string;
    readonly command: readonly string[];
    /** Creates the folder in which it runs. */
    readonly prepare: () => Promise<string>;
    /** There is no database beforehand. */
    readonly makesDatabase?: boolean;
    /** Number of records in the database that is replaced. */
    readonly replaces?: number;
}

const COLLECT = ['collect', '--json'];

async function callWell(command: readonly string[], cwd: string): Promise<void> {
    expect(await callCli(command, { cwd })).toMatchObject({ code: 0 });
}

/** A folder with results in the spool, each a batch. */
async function fillSpool(home: string, tasks: readonly number[], after = noStep): Promise<string> {
    const collector = new ResultCollector({ tempDir: join(home, 'temp_results') });
    for (const task of tasks) {
        await collector.addBatchResult('m', [{ task_id: `task-${task}`, success: task % 2 === 0 }]);
        await after(home);
    }
    return home;
}

const noStep = async (_home: string): Promise<void> => undefined;
const collectNow = (home: string): Promise<void> => callWell(COLLECT, home);
const TASK_NUMBERS = Array.from({ length: TASKS }, (_, at) => at);

/** Several parts, so that there is something to join. */
const fillDatabase = (): Promise<string> => fillSpool(tempDir(), TASK_NUMBERS, collectNow);

/** A backup, and a database that has received another result since. */
async function fillBackup(): Promise<string> {
    const home = await fillDatabase();
    await callWell(['database', 'backup', 'copy'], home);
    return fillSpool(home, [TASKS], collectNow);
}

const COMMANDS: readonly Tried[] = [
    {
        name: 'collect',
        command: COLLECT,
        prepare: () => fillSpool(tempDir(), TASK_NUMBERS),
        makesDatabase: true,
    },
    { name: 'database compact', command: ['database', 'compact'], prepare: fillDatabase },
    { name: 'migrate', command: ['migrate', '--to', 'parquet'], prepare: fillDatabase },
    {
        name: 'database restore',
        command: ['database', 'restore', 'copy'],
        prepare: fillBackup,
        replaces: TASKS + 1,
    },
];

const INJECTIONS: readonly Injection[] = [
    'KILL',
    { error: 'ENOSPC', from: false },
    { error: 'EIO', from: false },
    { error: 'ENOSPC', from: true },
];

describe.skipIf(reason !== null)('a fault at a call on the files of the database', () => {
    it.for(COMMANDS)(
        'during $name loses no result and doubles none, and the next try goes through',
        async (command, { signal, onTestFinished: whenFinished }) => {
            const template = await command.prepare();
            const traced: DatabaseScene[] = [];
            const sites = await traceCalls(() => {
                const scene = new DatabaseScene(command, template, whenFinished);
                traced.push(scene);
                return scene;
            });
            for (const scene of traced) await scene.check(true);
            expect(sites.length).toBeGreaterThan(20);
            const attempts = sites.flatMap((site) =>
                INJECTIONS.filter((one) => canMeet(site, one)).map((one) => [site, one] as const),
            );
            const failed: string[] = [];
            const missed: string[] = [];
            let tried = 0;
            // After the manifest is renamed, the new generation may or may not be in place, but its parts must exist.
            const afterRename = attempts.filter(
                ([{ call, text }, one]) =>
                    call === 'fsync' &&
                    /[</]database>/.test(text) &&
                    one !== 'KILL' &&
                    one.error === 'ENOSPC' &&
                    !one.from,
            );
            const tryOne = async (site: CallSite, injection: Injection): Promise<void> => {
                const scene = new DatabaseScene(command, template, whenFinished);
                try {
                    const { record, hit } = await runInjected(scene, site, injection);
                    tried += 1;
                    if (hit === null) missed.push(`${JSON.stringify(injection)} at ${site.n}: ${site.text}`);
                    if (injection !== 'KILL' && hit !== null && touchesOurs(scene, hit))
                        expectClearEnd(record);
                    await scene.check(false);
                    await scene.finish();
                    await scene.check(true);
                    scene.remove();
                } catch (error) {
                    failed.push(
                        `${site.text}\n${error instanceof Error ? error.message : String(error)}\n${scene.story}`,
                    );
                }
            };
            const waiting = [...sampled(attempts, 1), ...sampled(afterRename, 1)].values();
            const worker = async (): Promise<void> => {
                for (const [site, injection] of waiting) {
                    if (signal.aborted) return;
                    await tryOne(site, injection);
                }
            };
            await Promise.all(Array.from({ length: AT_ONCE }, worker));
            expect(failed.join('\n\n'), `${failed.length} of ${attempts.length} attempts, seed ${SEED}`).toBe(
                '',
            );
            // A program that takes a different path than when it was traced may never reach a call.
            if (LONG) expect(missed.length, missed.join('\n')).toBeLessThan(0.2 * tried);
        },
    );
});

describe.skipIf(reason !== null)(
    'a restore whose new generation stands though its folder could not be synced',
    () => {
        it('has every file that it names, and what it replaced beside it', async ({
            onTestFinished: whenFinished,
        }) => {
            const command = ['database', 'restore', 'copy'];
            const prepare = async (): Promise<string> => {
                const home = tempDir();
                const counts = { models: {}, summary: {}, version: '3.0' };
                writeFileSync(join(home, 'counts.json'), JSON.stringify(counts));
                await callWell(['collect', '--from', 'counts.json'], home);
                // No parts yet: this database only holds counts.
                await callWell(['database', 'backup', 'copy'], home);
                return fillSpool(home, TASK_NUMBERS, collectNow);
            };
            const tried: Tried = { name: 'database restore', command, prepare };
            const template = await prepare();
            const sites = await traceCalls(() => new DatabaseScene(tried, template, whenFinished));
            const syncs = sites.filter(({ call, text }) => call === 'fsync' && text.includes('<database>'));
            expect(syncs.length).toBeGreaterThan(0);
            let stood = 0;
            for (const site of syncs) {
                const scene = new DatabaseScene(tried, template, whenFinished);
                const before = await readManifest(join(template, 'database'));
                await runInjected(scene, site, { error: 'EIO', from: false });
                const database = join(scene.home, 'database');
                const after = await readManifest(database);
                const named = [...(after?.parts ?? []), ...(after?.aggregates ?? [])].map(({ path }) => path);
                expect(
                    named.filter((path) => !existsSync(join(database, path))),
                    scene.story,
                ).toEqual([]);
                const kept = readdirSync(scene.home).filter((name) =>
                    name.startsWith('database.before-restore-'),
                );
                if (after?.generation === before?.generation) continue;
                stood += 1;
                expect(named, scene.story).toEqual([expect.stringMatching(/^aggregates\//)]);
                const [aside = ''] = kept;
                expect(await readManifest(join(scene.home, aside)), scene.story).toEqual(before);
            }
            expect(stood).toBeGreaterThan(0);
        });
    },
);

/**
 * Reading never meets a full disk; and threads wake each other with write(2), so if all writes fail from some point on, no Node
 * program can continue.
 */
function canMeet({ call, text }: CallSite, injection: Injection): boolean {
    if (injection === 'KILL' || injection.error !== 'ENOSPC') return true;
    const writes = call !== 'close' && (call !== 'openat' || text.includes('O_CREAT'));
    return writes && !(injection.from && call === 'write');
}

/** The command recovered, or ended with one line that says why and the exit code for files that could not be written or read. */
function expectClearEnd({ code, stderr }: CliResult): void {
    expect([0, 2, 4], stderr).toContain(code);
    expect(stderr).not.toMatch(/bug in resume-run|^\s+at /m);
}
