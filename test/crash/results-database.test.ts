import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type onTestFinished } from 'vitest';
import { ResultCollector } from '../../src/legacy.js';
import { auditDatabase } from '../../src/results/ask/audit.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { type CliResult, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
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
import { LONG, sampled, SEED } from '../rig/long.js';

const reason = whyNoInjection();
if (reason !== null) console.error(`faults of the results database: skipped, ${reason}`);

/**
 * Results that stand in the spool, or in the database, before the command that meets a fault: a first, a last, and one between.
 * More would only be more calls of the same kinds.
 */
const TASKS = 3;

/** Attempts at a time: while one starts the program, another looks at what its own has left. */
const AT_ONCE = 2;

/** One command on a copy of a prepared folder. */
class DatabaseScene implements Subject {
    readonly home: string;
    readonly folders = ['database', 'temp_results'];
    readonly oneThread = [];
    readonly #story: string[] = [];

    constructor(
        template: string,
        private readonly command: readonly string[],
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
        const cli = startCli([...this.command], {
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

    /** The command to its end; undisturbed, it needs no process of its own. */
    async finish(options: RunOptions = {}): Promise<void> {
        const { code, stderr } =
            options.through === undefined
                ? await callCli(this.command, { cwd: this.home })
                : await this.run(options);
        expect(code, stderr).toBe(0);
    }

    /** Every record once in one whole generation, and no batch lost; `isFinished` when the command went through. */
    async check(isFinished: boolean): Promise<void> {
        const database = join(this.home, 'database');
        const samples: string[] = [];
        if (existsSync(join(database, 'manifest.json')))
            for await (const records of await (await readGeneration(database)).records())
                samples.push(...records.map(({ sample }) => sample));
        expect(new Set(samples).size).toBe(samples.length);
        const spool = join(this.home, 'temp_results');
        const waiting = existsSync(spool)
            ? readdirSync(spool).filter((name) => name.endsWith('.json')).length
            : 0;
        // Each batch holds one result: retired only after it was committed.
        expect(samples.length + waiting).toBeGreaterThanOrEqual(TASKS);
        if (!isFinished) return;
        expect([samples.length, waiting]).toEqual([TASKS, 0]);
        expect(await auditDatabase(database)).toEqual([]);
    }

    remove(): void {
        rmSync(this.home, { recursive: true, force: true });
    }
}

/** A folder with results in the spool, brought in by `before`. */
async function prepare(before: readonly (readonly string[])[]): Promise<string> {
    const home = tempDir();
    const collector = new ResultCollector({ tempDir: join(home, 'temp_results') });
    for (let at = 0; at < TASKS; at += 1) {
        await collector.addBatchResult('m', [{ task_id: `task-${at}`, success: at % 2 === 0 }]);
        const step = before[at];
        if (step !== undefined) expect(await callCli(step, { cwd: home })).toMatchObject({ code: 0 });
    }
    for (const step of before.slice(TASKS))
        expect(await callCli(step, { cwd: home })).toMatchObject({ code: 0 });
    return home;
}

const COLLECT = ['collect', '--json'];
/** Several parts, so that there is something to join. */
const COLLECTED = Array.from({ length: TASKS }, () => COLLECT);

const COMMANDS: readonly (readonly [string, readonly string[], readonly (readonly string[])[]])[] = [
    ['collect', COLLECT, []],
    ['database compact', ['database', 'compact'], COLLECTED],
    ['migrate', ['migrate', '--to', 'parquet'], COLLECTED],
];

const INJECTIONS: readonly Injection[] = [
    'KILL',
    { error: 'ENOSPC', from: false },
    { error: 'EIO', from: false },
    { error: 'ENOSPC', from: true },
];

describe.skipIf(reason !== null)('a fault at a call on the files of the database', () => {
    it.for(COMMANDS)(
        'during %s loses no result and doubles none, and the next try goes through',
        async ([, command, before], { signal, onTestFinished: whenFinished }) => {
            const template = await prepare(before);
            const traced = new DatabaseScene(template, command, whenFinished);
            const sites = await traceCalls(traced);
            await traced.check(true);
            expect(sites.length).toBeGreaterThan(20);
            const attempts = sites.flatMap((site) =>
                INJECTIONS.filter((one) => canMeet(site, one)).map((one) => [site, one] as const),
            );
            const failed: string[] = [];
            const missed: string[] = [];
            let tried = 0;
            // After the rename of the manifest: the new generation may stand or not, its parts must be there.
            const afterRename = attempts.filter(
                ([{ call, text }, one]) =>
                    call === 'fsync' &&
                    /[</]database>/.test(text) &&
                    one !== 'KILL' &&
                    one.error === 'ENOSPC' &&
                    !one.from,
            );
            const tryOne = async (site: CallSite, injection: Injection): Promise<void> => {
                const scene = new DatabaseScene(template, command, whenFinished);
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
            // A program that takes another way than when it was traced may never come to a call.
            if (LONG) expect(missed.length, missed.join('\n')).toBeLessThan(0.2 * tried);
        },
    );
});

/** Reading meets no full disk, and threads wake each other by write(2): failing from there on, no program of Node's goes on. */
function canMeet({ call, text }: CallSite, injection: Injection): boolean {
    if (injection === 'KILL' || injection.error !== 'ENOSPC') return true;
    const writes = call !== 'close' && (call !== 'openat' || text.includes('O_CREAT'));
    return writes && !(injection.from && call === 'write');
}

/** Got over, or ended by one line that says why, with the exit code of files that could not be written or read. */
function expectClearEnd({ code, stderr }: CliResult): void {
    expect([0, 2, 4], stderr).toContain(code);
    expect(stderr).not.toMatch(/bug in resume-run|^\s+at /m);
}
