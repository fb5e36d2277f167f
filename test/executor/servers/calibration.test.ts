import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResults, tempDir } from '../../rig/cli.js';
import { callCli } from '../../rig/in-process.js';
import { type RigAnswer, type RigRequest, RigServer } from '../../rig/servers/rig-server.js';

const PROGRAM_MS = 100;

/** Answers as SandboxFusion does, without running anything: two programs at a time, while the others wait. */
class TwoCores extends RigServer {
    /** In order of arrival: whether each was a hello-world. */
    readonly order: boolean[] = [];
    mostTasks = 0;
    #tasks = 0;
    #free = 2;
    readonly #waiting: (() => void)[] = [];

    protected override async handle(request: RigRequest): Promise<RigAnswer> {
        const { code } = JSON.parse(request.body.toString()) as { code: string };
        const isHello = code.includes('hello');
        this.order.push(isHello);
        if (!isHello) this.#tasks += 1;
        this.mostTasks = Math.max(this.mostTasks, this.#tasks);
        if (this.#free > 0) this.#free -= 1;
        else await new Promise<void>((resolve) => this.#waiting.push(resolve));
        await new Promise((resolve) => setTimeout(resolve, PROGRAM_MS));
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
        if (!isHello) this.#tasks -= 1;
        const stdout = isHello ? 'hello\n' : '3\n';
        const run = { status: 'Finished', execution_time: 0.1, return_code: 0, stdout, stderr: '' };
        return { status: 200, json: { status: 'Success', compile_result: null, run_result: run } };
    }
}

const server = new TwoCores();
beforeAll(() => server.start());
afterAll(() => server.stop());

function writeDataset(dir: string, count: number): void {
    const solutions = Array.from({ length: count }, (_, index) => ({
        language: 'PYTHON3',
        source: `print(3) # ${index}\n`,
    }));
    const row = { id: 'three', tests: [{ input: '', output: '3\n' }], solutions };
    writeFileSync(join(dir, 'problems.jsonl'), `${JSON.stringify(row)}\n`);
}

describe('the width of a server that never says "too many"', () => {
    it('is found before the first task, used by the run, and shown', async () => {
        const dir = tempDir();
        writeDataset(dir, 40);
        const endpoint = ['--executor', 'sandbox-fusion', '--endpoint', server.url];
        const ran = await callCli(['problems.jsonl', ...endpoint, '--dir', 'out'], { cwd: dir, env: {} });
        expect(ran.code, ran.stderr).toBe(0);
        expect(readResults(join(dir, 'out')).size).toBe(1);
        const firstTask = server.order.indexOf(false);
        expect(server.order.slice(firstTask)).toEqual(Array.from({ length: 40 }, () => false));
        expect(firstTask).toBeGreaterThan(8);
        // On a busy machine a longer queue at the server may be worthwhile.
        expect(server.mostTasks).toBeGreaterThanOrEqual(2);
        expect(server.mostInFlight).toBe(2 * server.mostTasks);
        expect(ran.stdout + ran.stderr).toMatch(/at once .*hello-worlds/);
        const rates = /\/s at 1, \d+\.\d\/s at 2, \d+\.\d\/s at 4/;
        expect(ran.stdout + ran.stderr).toMatch(rates);
        const status = await callCli(['status', '--dir', 'out'], { cwd: dir, env: {} });
        expect(status.stdout).toMatch(rates);
    });

    it('is not looked for where a number is given, or there is little to do', async () => {
        const dir = tempDir();
        writeDataset(dir, 40);
        server.order.length = 0;
        server.mostTasks = 0;
        const config = { executor: 'sandbox-fusion', endpoint: [{ url: server.url, concurrency: 3 }] };
        writeFileSync(join(dir, 'resume-run.config.json'), JSON.stringify(config));
        const given = await callCli(['problems.jsonl', '--dir', 'out', '-q'], { cwd: dir, env: {} });
        expect(given.code, given.stderr).toBe(0);
        // The probe is the only hello-world.
        expect(server.order.filter(Boolean)).toHaveLength(1);
        expect(server.mostTasks).toBe(3);
        writeDataset(dir, 5);
        const options = ['--executor', 'sandbox-fusion', '--endpoint', server.url, '-q'];
        const few = await callCli(['problems.jsonl', '--dir', 'few', ...options], { cwd: dir, env: {} });
        expect(few.code, few.stderr).toBe(0);
        expect(server.order.filter(Boolean)).toHaveLength(2);
    });

    it('is shown by endpoints on request', async () => {
        const asked = ['endpoints', '--endpoint', server.url, '--executor', 'sandbox-fusion', '--calibrate'];
        const shown = await callCli(asked, { cwd: tempDir(), env: {} });
        expect(shown.stdout).toMatch(/: [24] at once \(hello-worlds: \d+\.\d\/s at 1, /);
    });
});
