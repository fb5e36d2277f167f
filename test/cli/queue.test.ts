import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
    packJob,
    packTask,
    parseWorkerAnswer,
    PROTOCOL,
    unpackJob,
} from '../../src/backend/queue/messages.js';
import { REDIS_ADDRESS } from '../../src/config/values/redis.js';
import type { Task } from '../../src/model/task.js';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

if (NO_REDIS !== null) console.error(`runs over a queue: skipped, ${NO_REDIS}`);

const PROBLEM = {
    id: 'double',
    tests: [{ input: '2', output: '4' }],
    solutions: [{ language: 'PYTHON3', source: 'print(int(input()) * 2)' }],
    incorrect_solutions: [{ language: 'PYTHON3', source: 'print(5)' }],
};

/** A command's output that does not fit into an answer: long, not UTF-8, and longer than the limit. */
const PRINT = `
case $1 in
    long) head -c 9000000 /dev/zero | tr '\\0' o; head -c 50000 /dev/zero | tr '\\0' e >&2 ;;
    bytes) printf 'a\\377b' ;;
    flood) head -c 10000001 /dev/zero | tr '\\0' f ;;
    failing) head -c 20000 /dev/zero | tr '\\0' x; exit 1 ;;
    *) printf short ;;
esac`;

const KINDS = ['long', 'bytes', 'flood', 'failing', 'short'];

const PRINTING = [
    'rows.jsonl',
    '--output-limit',
    '10000000',
    '--retries',
    '0',
    '--json',
    '--executor',
    'exec',
    '--',
    'sh',
    '-c',
    PRINT,
    'sh',
    '{id}',
];

/** What commands printed, by sample, wherever the results hold it. */
const printedIn = (dir: string): [unknown, [string, unknown][]][] =>
    [...readResults(dir).values()].map((result) => {
        const printed: [string, unknown][] = [];
        JSON.stringify(result, (key, value: unknown) => {
            if (/^std(?:out|err)/.test(key)) printed.push([key, value]);
            return value;
        });
        return [result['id'], printed];
    });

it.skipIf(NO_REDIS !== null)(
    'judges and runs commands on a worker as a local run does, lists it, and lets it go at SIGTERM',
    { timeout: patience(60_000) },
    async () => {
        const cwd = tempDir();
        const redis = await new PrivateRedis().start();
        const env = { REDIS_URL: redis.url };
        const worker = startCli(
            ['worker', '-j', '2', '--executor', 'judge', '--executor', 'exec', '--allow', 'exec'],
            { cwd, env },
        );
        try {
            writeFileSync(join(cwd, 'p.jsonl'), `${JSON.stringify(PROBLEM)}\n`);
            const run = await callCli(['p.jsonl', '--mode', 'queue', '--dir', 'results', '--json'], {
                cwd,
                env,
            });
            expect(run.code, run.stderr + run.stdout).toBe(0);
            expect(run.stdout).toContain('keeps no append-only file');
            expect(readResults(join(cwd, 'results')).get('double.json')).toMatchObject({
                solution_result: [{ result: { verdict: 'Accepted' } }],
                incorrect_solution_result: [{ result: { verdict: 'WrongAnswer' } }],
            });

            const rows = KINDS.map((id) => JSON.stringify({ id, groups: { iteration: [1] } }));
            writeFileSync(join(cwd, 'rows.jsonl'), rows.join('\n'));
            const here = await callCli(['--dir', 'local', ...PRINTING], { cwd });
            const there = await callCli(['--mode', 'queue', '--dir', 'queued', ...PRINTING], { cwd, env });
            expect([here.code, there.code], there.stderr + there.stdout).toEqual([1, 1]);
            expect(printedIn(join(cwd, 'queued'))).toEqual(printedIn(join(cwd, 'local')));
            // Two files for `long`, one for each other task except `short`.
            const listOutputs = (dir: string) => readdirSync(join(cwd, dir, '.outputs')).sort();
            expect(listOutputs('queued')).toHaveLength(5);
            expect(listOutputs('queued')).toEqual(listOutputs('local'));
            const check = await callCli(['check', '--dir', 'queued'], { cwd });
            expect(check.code, check.stdout + check.stderr).toBe(0);

            // A finished run leaves nothing except what the worker still holds.
            expect(
                (await redis.keys()).filter((key) => /:(?:output|answer|tasks:[0-9a-f]{40})/.test(key)),
            ).toEqual([]);
            // The worker reports its state once a second.
            const list = async (): Promise<unknown> =>
                JSON.parse((await callCli(['workers', '--json'], { cwd, env })).stdout);
            await expect
                .poll(list, { timeout: patience(10_000), interval: 200 })
                .toMatchObject([{ pid: worker.child.pid, done: 7, failures: 1, inFlight: 0 }]);
            worker.child.kill('SIGTERM');
            expect((await worker.result).code).toBe(0);
            expect(await list()).toEqual([]);
        } finally {
            killGroup(worker.child);
            await redis.end();
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'refuses a Redis that throws keys away, in one line',
    { timeout: patience(20_000) },
    async () => {
        const cwd = tempDir();
        const redis = await new PrivateRedis([
            '--maxmemory',
            '64mb',
            '--maxmemory-policy',
            'allkeys-lru',
        ]).start();
        try {
            writeFileSync(join(cwd, 'p.jsonl'), `${JSON.stringify(PROBLEM)}\n`);
            const args = ['p.jsonl', '--mode', 'queue', '--redis', redis.url, '--quiet'];
            const { code, stderr } = await callCli(args, { cwd });
            expect(code).toBe(2);
            expect(stderr).toMatch(/throws away tasks and results .*allkeys-lru.*noeviction/);
        } finally {
            await redis.end();
        }
    },
);

it('takes no password from a command line, and shows none', () => {
    const flag = { label: '--redis', base: '/' };
    expect(() => REDIS_ADDRESS.parse('redis://u:sesame@h:1', flag)).toThrow(
        /^--redis: others could read the password here(?!.*sesame)/,
    );
    expect(REDIS_ADDRESS.parse('redis://u:{env:PW}@h:1', flag)).toBe('redis://u:{env:PW}@h:1');
    expect(REDIS_ADDRESS.parse('redis://u:sesame@h:1', { ...flag, label: 'REDIS_URL' })).toContain('sesame');
    expect(REDIS_ADDRESS.format('redis://u:sesame@h:1')).toBe('redis://u@h:1');
    expect(() => REDIS_ADDRESS.parse('http://h', flag)).toThrow('expected an address such as redis://');
});

const task: Task = {
    sample: 's',
    group: 'solution',
    index: 0,
    fingerprint: 'v1-sha256-0',
    input: { kind: 'data', data: { n: 1 } },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
};

it('reads back the tasks and answers that it writes, and refuses others', () => {
    const named = { name: 'a-1', task };
    const tasks = [named, { name: 'b-1', task }];
    expect(unpackJob(packJob('1', tasks.map(packTask)))).toEqual({ start: '1', tasks });
    const file = { name: '../../.bashrc', content: { text: '', digest: '0'.repeat(64) } };
    const program = { kind: 'program', language: 'CPP', files: [file] };
    for (const bad of [
        { stage: '/etc' },
        { index: -1 },
        { attempt: 0 },
        { input: program },
        { sample: '' },
    ]) {
        const text = JSON.stringify([{ name: 'a-1', task: { ...task, ...bad } }]);
        expect(() => unpackJob({ v: PROTOCOL, start: '1', tasks: text }), text).toThrow();
    }
    const good = JSON.stringify([named]);
    expect(unpackJob({ v: PROTOCOL, start: '1', tasks: good })).toEqual({ start: '1', tasks: [named] });
    for (const raw of [
        null,
        {},
        { v: PROTOCOL + 1, start: '1', tasks: good },
        { v: PROTOCOL, start: '1', tasks: 'x' },
        { v: PROTOCOL, start: '1', tasks: '[]' },
        { v: PROTOCOL, start: '1', tasks: JSON.stringify([named, named]) },
        { v: PROTOCOL, tasks: good },
    ])
        expect(() => unpackJob(raw)).toThrow();
    const served = { outcome: { kind: 'verdict', verdict: 'Fine' }, startedAt: 1, duration: 1 };
    expect(() => parseWorkerAnswer(JSON.stringify({ workerId: 'w', served }))).toThrow();
});
