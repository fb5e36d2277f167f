import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packTask, parseWorkerAnswer, unpackTask } from '../../src/backend/queue/messages.js';
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

it.skipIf(NO_REDIS !== null)(
    'judges on a worker that is sent the tests, lists it, and lets it go at SIGTERM',
    { timeout: patience(60_000) },
    async () => {
        const cwd = tempDir();
        const redis = await new PrivateRedis().start();
        const env = { REDIS_URL: redis.url };
        const worker = startCli(['worker', '-j', '1'], { cwd, env });
        try {
            writeFileSync(join(cwd, 'p.jsonl'), `${JSON.stringify(PROBLEM)}\n`);
            const run = await startCli(['p.jsonl', '--mode', 'queue', '--dir', 'results', '--json'], {
                cwd,
                env,
            }).result;
            expect(run.code, run.stderr + run.stdout).toBe(0);
            expect(run.stdout).toContain('keeps no append-only file');
            expect(readResults(join(cwd, 'results')).get('double.json')).toMatchObject({
                solution_result: [{ result: { verdict: 'Accepted' } }],
                incorrect_solution_result: [{ result: { verdict: 'WrongAnswer' } }],
            });
            const listed = await callCli(['workers', '--json'], { cwd, env });
            expect(JSON.parse(listed.stdout)).toMatchObject([
                { pid: worker.child.pid, done: 2, inFlight: 0 },
            ]);
            worker.child.kill('SIGTERM');
            expect((await worker.result).code).toBe(0);
            expect(JSON.parse((await callCli(['workers', '--json'], { cwd, env })).stdout)).toEqual([]);
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
    expect(unpackTask(packTask(task))).toEqual(task);
    const file = { name: '../../.bashrc', content: { text: '', digest: '0'.repeat(64) } };
    const program = { kind: 'program', language: 'CPP', files: [file] };
    for (const bad of [
        { stage: '/etc' },
        { index: -1 },
        { attempt: 0 },
        { input: program },
        { sample: '' },
    ]) {
        const text = JSON.stringify({ ...task, ...bad });
        expect(() => unpackTask({ v: 1, task: text }), text).toThrow();
    }
    for (const raw of [null, {}, { v: 2, task: '{}' }, { v: 1, task: 'x' }])
        expect(() => unpackTask(raw)).toThrow();
    const served = { outcome: { kind: 'verdict', verdict: 'Fine' }, startedAt: 1, duration: 1 };
    expect(() => parseWorkerAnswer(JSON.stringify({ workerId: 'w', served }))).toThrow();
});
