import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '../../src/commands/registry.js';
import { toEnvironmentName, isRestored, type OptionSpec } from '../../src/config/option.js';
import { RUN_OPTION_NAMES, RUN_OPTIONS } from '../../src/config/run-options.js';
import { type KnownRun, type Resolved, resolveConfig } from '../../src/config.js';
import type { CommandLine } from '../../src/config/resolve-run.js';
import type { Json } from '../../src/model/json.js';
import { runs } from '../rig/long.js';
import { asJson, BESIDE, fourValues, NEEDED, VARIED } from './option-values.js';

let cwd: string;
beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'resume-run-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

interface Given {
    readonly argv?: Partial<CommandLine>;
    readonly env?: NodeJS.ProcessEnv;
    readonly file?: Record<string, Json>;
    readonly run?: Partial<KnownRun>;
}

async function resolveWith({ argv, env, file, run }: Given): Promise<Resolved> {
    if (file !== undefined) writeFileSync(join(cwd, 'resume-run.config.json'), JSON.stringify(file));
    return resolveConfig({
        argv: { options: {}, datasets: [], command: [], ...argv },
        env: env ?? {},
        cwd,
        catalog: loadCatalog,
        readRunFile: () =>
            Promise.resolve(run === undefined ? null : { options: {}, datasets: [], distrust: null, ...run }),
    });
}

/** The resolved configuration, without the record of where options came from. */
const shown = (resolved: Resolved): string => JSON.stringify({ ...resolved.config, runOptions: undefined });

const LAYERS = ['command line', 'environment', 'config file', 'run.json'] as const;
describe('precedence', () => {
    it('is command line, environment, config file, run.json, default: for every option and every subset of sources', async () => {
        await fc.assert(
            fc.asyncProperty(fc.constantFrom(...VARIED), fc.subarray([...LAYERS]), async (name, chosen) => {
                const spec: OptionSpec = RUN_OPTIONS[name];
                const layers = chosen.filter((layer) => spec.only === undefined || layer === 'command line');
                const beside = BESIDE[name] ?? {};
                const command = beside['executor'] === 'exec' ? ['true'] : [];
                const [a, b, c, d] = fourValues(name);
                const has = (layer: (typeof LAYERS)[number]) => layers.includes(layer);
                const input: Given = {
                    argv: {
                        options: { ...beside, ...(has('command line') ? { [name]: a } : {}) },
                        command,
                    },
                    env: has('environment') ? { [toEnvironmentName(name)]: b } : {},
                    file: has('config file') ? { [name]: asJson(name, c) } : {},
                    run: { options: has('run.json') ? { [name]: asJson(name, d) } : {} },
                };
                if (layers.length === 0 && NEEDED.includes(name)) {
                    await expect(resolveWith(input)).rejects.toThrow(`needs --${name}`);
                    return;
                }
                const resolved = await resolveWith(input);
                const winner = LAYERS.find(
                    (layer) => has(layer) && (layer !== 'run.json' || isRestored(RUN_OPTIONS[name])),
                );
                expect(resolved.sources[name]).toBe(winner ?? 'default');
                const value = winner === undefined ? 'default' : [a, b, c, d][LAYERS.indexOf(winner)];
                const alone = await resolveWith({
                    argv: { options: { ...beside, [name]: value }, command },
                    file: {},
                });
                expect(shown(resolved)).toBe(shown(alone));
            }),
            { numRuns: runs(150) },
        );
    });
});

describe('run.json', () => {
    it('is never overridden by a default, and nothing is announced then', async () => {
        const { config, announcements } = await resolveWith({
            run: { options: { timeout: 1000, 'all-tests': true }, datasets: ['/data/a.jsonl'] },
        });
        expect(config.limits.timeout).toBe(1000);
        expect(config.judging.allTests).toBe(true);
        expect(config.datasets).toEqual(['/data/a.jsonl']);
        expect(announcements).toEqual([]);
    });

    it('holds every restored option and nothing else, and restores the same configuration', async () => {
        const first = await resolveWith({
            argv: {
                options: {
                    timeout: '1000',
                    checker: 'own.cpp',
                    module: 'm.mjs#run',
                    executor: 'module',
                    concurrency: '3',
                },
            },
            file: { languages: { PYTHON3: { run: ['pypy3', '{source}'] } } },
        });
        const { runOptions } = first.config;
        expect(Object.keys(runOptions).sort()).toEqual(
            RUN_OPTION_NAMES.filter((name) => isRestored(RUN_OPTIONS[name])).sort(),
        );
        const again = await resolveWith({
            file: {},
            run: { options: JSON.parse(JSON.stringify(runOptions)) as typeof runOptions },
        });
        // Only what it will run is announced.
        expect(again.announcements).toEqual([
            expect.stringMatching(/^runs programs named in .*run\.json: the module /),
        ]);
        expect({ ...again.config, concurrency: 3 }).toEqual(first.config);
    });

    it('has its changes announced with their effect', async () => {
        const run = { options: { timeout: 20, 'all-tests': true, checker: null } };
        const raised = await resolveWith({ argv: { options: { timeout: '1000' } }, run });
        expect(raised.announcements).toEqual([
            '--timeout 1000 (was 20): time-outs judged under less run again',
        ]);
        const lowered = await resolveWith({ env: { RESUME_RUN_TIMEOUT: '10' }, run });
        expect(lowered.announcements).toEqual([
            '--timeout 10 (was 20, from the environment): nothing runs again (unless with --rerun over-limit)',
        ]);
        const others = await resolveWith({
            argv: { options: { 'all-tests': false, checker: 'lines' } },
            run,
        });
        expect(others.announcements.map((line) => line.split(':')[0])).toEqual([
            "--checker lines (was the sample's, else its format's)",
            '--no-all-tests (was on)',
        ]);
    });

    it('is forgotten for an option by the word default', async () => {
        const { config, announcements } = await resolveWith({
            argv: { options: { checker: 'default' } },
            run: { options: { checker: 'lines' } },
        });
        expect(config.judging.checker).toBeNull();
        expect(announcements[0]).toMatch(/^--checker default \(was lines\)/);
    });

    it('is looked for where --dir and --checkpoints say', async () => {
        const asked: string[] = [];
        const readRunFile = (folder: string) => {
            asked.push(folder);
            return Promise.resolve(null);
        };
        const argv = (options: CommandLine['options']): CommandLine => ({
            options,
            datasets: [],
            command: [],
        });
        await resolveConfig({ argv: argv({}), env: {}, cwd, catalog: loadCatalog, readRunFile });
        await resolveConfig({
            argv: argv({ dir: 'out/a' }),
            env: { RESUME_RUN_DIR: 'b' },
            cwd,
            catalog: loadCatalog,
            readRunFile,
        });
        await resolveConfig({
            argv: argv({ checkpoints: '/cp' }),
            env: { RESUME_RUN_DIR: 'b' },
            cwd,
            catalog: loadCatalog,
            readRunFile,
        });
        expect(asked).toEqual([join(cwd, 'checkpoints/results'), join(cwd, 'out/checkpoints/a'), '/cp/b']);
    });

    it('may name options of another version: ignored with a notice', async () => {
        const { announcements } = await resolveWith({ run: { options: { 'from-the-future': 1 } } });
        expect(announcements).toHaveLength(1);
        expect(announcements[0]).toContain("does not know the option 'from-the-future'");
    });

    it('with a value that cannot be is an error that names the file', async () => {
        await expect(resolveWith({ run: { options: { timeout: 'soon' } } })).rejects.toThrow(
            /^timeout in .*run\.json: expected seconds/,
        );
    });

    it('keeps no headers of endpoints, and their absence is not a change', async () => {
        const endpoint = {
            url: 'http://h:1',
            headers: { Authorization: 'Bearer sesame' },
            token: { env: 'TOKEN' },
        };
        const file = { executor: 'go-judge', endpoint: [endpoint] };
        const first = await resolveWith({ file });
        expect(first.config.executor).toMatchObject({ endpoints: [endpoint] });
        expect(JSON.stringify(first.config.runOptions)).not.toContain('sesame');
        const again = await resolveWith({ file, run: { options: first.config.runOptions } });
        expect(again.announcements).toEqual([]);
    });
});

describe('datasets', () => {
    it('come from the command line, else the environment, else the config file, else run.json; made absolute', async () => {
        const run = { datasets: ['/run/d.jsonl'] };
        const file = { datasets: ['c.jsonl'] };
        const env = { RESUME_RUN_DATASETS: '["b.jsonl"]' };
        const seen = async (given: Given) => {
            const { config, sources } = await resolveWith(given);
            return [config.datasets, sources.datasets];
        };
        expect(await seen({ argv: { datasets: ['a.jsonl'] }, env, file, run })).toEqual([
            [join(cwd, 'a.jsonl')],
            'command line',
        ]);
        expect(await seen({ env, file, run })).toEqual([[join(cwd, 'b.jsonl')], 'environment']);
        expect(await seen({ file, run })).toEqual([[join(cwd, 'c.jsonl')], 'config file']);
        expect(await seen({ file: {}, run })).toEqual([['/run/d.jsonl'], 'run.json']);
        expect(await seen({ file: {} })).toEqual([[], 'default']);
    });
});

describe('.env', () => {
    it('counts as environment, but never over a variable that is set', async () => {
        writeFileSync(join(cwd, '.env'), 'RESUME_RUN_TIMEOUT=30\nRESUME_RUN_GRACE="4"\nTOKEN=sesame\n');
        const { config, sources, env } = await resolveWith({ env: { RESUME_RUN_TIMEOUT: '40' } });
        expect([config.limits.timeout, config.grace]).toEqual([40, 4]);
        expect(sources.grace).toBe('environment');
        expect(env['TOKEN']).toBe('sesame');
    });

    it('mistypes are announced', async () => {
        const { announcements } = await resolveWith({ env: { RESUME_RUN_TIMOUT: '3' } });
        expect(announcements).toEqual([
            'RESUME_RUN_TIMOUT is set but names no option: did you mean RESUME_RUN_TIMEOUT?',
        ]);
    });
});

describe('options for one start', () => {
    it('are read from the command line only, and that is said', async () => {
        const { config, announcements } = await resolveWith({
            env: { RESUME_RUN_RERUN: 'all', RESUME_RUN_TAKE_OVER: '1' },
        });
        expect([config.rerun, config.takeOver]).toEqual([[], false]);
        expect(announcements).toEqual([
            "RESUME_RUN_RERUN is set, but 'rerun' is read from the command line only",
            "RESUME_RUN_TAKE_OVER is set, but 'take-over' is read from the command line only",
        ]);
        await expect(resolveWith({ file: { rerun: 'all' } })).rejects.toThrow(
            "resume-run.config.json:1: 'rerun' can be given on the command line only",
        );
    });

    it('--config can be named by a variable too', async () => {
        writeFileSync(join(cwd, 'own.yaml'), 'timeout: 7\n');
        const { config } = await resolveWith({ env: { RESUME_RUN_CONFIG: 'own.yaml' } });
        expect(config.limits.timeout).toBe(7);
    });
});

describe('contradictions', () => {
    const refused: readonly (readonly [Partial<CommandLine>, RegExp])[] = [
        [{ options: { executor: 'exec' } }, /needs a command after --/],
        [{ command: ['true'] }, /needs --executor exec/],
        [{ options: { executor: 'module' } }, /needs --module/],
        [{ options: { module: 'x.mjs' } }, /--module needs --executor module/],
        [{ options: { executor: 'go-judge' } }, /needs --endpoint/],
        [{ options: { endpoint: 'http://h:1' } }, /--endpoint needs --executor/],
        [
            { options: { executor: 'go-judge', endpoint: 'http://h:1', mode: 'thread' } },
            /--mode thread cannot/,
        ],
        [
            { options: { executor: 'go-judge', endpoint: 'http://h:1', 'fusion-api': 'submit' } },
            /--fusion-api needs/,
        ],
        [
            { options: { executor: 'go-judge', endpoint: 'http://h:1', 'first-timeout': '30' } },
            /must not exceed --timeout 20/,
        ],
        [{ options: { 'exit-verdict': '1=WrongAnswer' } }, /--exit-verdict needs/],
        [{ options: { debug: true, 'log-level': 'warn' } }, /--debug contradicts/],
        [{ options: { timeout: ['1', '2'] } }, /given more than once/],
        [{ options: { dir: '/' } }, /cannot be a results directory/],
    ];
    it.each(refused)('%j is refused in one line', async (argv, message) => {
        await expect(resolveWith({ argv })).rejects.toThrow(message);
        await expect(resolveWith({ argv })).rejects.toMatchObject({ name: 'UserError', exitCode: 2 });
    });

    it('are not seen in what run.json restored', async () => {
        const run = { options: { executor: 'exec', command: ['true'], 'exit-verdict': ['3=WrongAnswer'] } };
        const { config } = await resolveWith({ argv: { options: { executor: 'judge' } }, run });
        expect(config.executor).toEqual({ kind: 'judge' });
    });
});

describe('the executor', () => {
    it('module has an identity that does not depend on where the run was started', async () => {
        const { config } = await resolveWith({
            argv: { options: { executor: 'module', module: 'tasks/m.mjs#one', dir: 'out/results' } },
        });
        expect(config.executor).toEqual({
            kind: 'module',
            file: join(cwd, 'tasks/m.mjs'),
            exportName: 'one',
            identity: '../tasks/m.mjs#one',
        });
    });

    it('exec keeps its command as it was typed', async () => {
        const { config } = await resolveWith({
            argv: {
                options: { executor: 'exec', 'exit-verdict': ['3=wronganswer'] },
                command: ['./t', '{id}', ''],
            },
        });
        expect(config.executor).toMatchObject({
            argv: ['./t', '{id}', ''],
            exitVerdicts: { '3': 'WrongAnswer' },
        });
    });
});
