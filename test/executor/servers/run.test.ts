import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killGroup, readResults, runCli, startCli, tempDir } from '../../rig/cli.js';
import { type RigAnswer, type RigRequest, RigServer } from '../../rig/servers/rig-server.js';
import { patience } from '../../rig/slowness.js';

/** Answers as SandboxFusion does, late and without running anything: a program `print(n) # id` prints n. */
class QuickFusion extends RigServer {
    /** How often each program was received, by its id. */
    readonly asked = new Map<string, number>();

    protected override async handle(request: RigRequest): Promise<RigAnswer> {
        const { code } = JSON.parse(request.body.toString()) as { code: string };
        const [, printed = 'hello', id = 'probe'] = /^print\((\d+)\)\s+# (\S+)/.exec(code) ?? [];
        this.asked.set(id, (this.asked.get(id) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, id === 'probe' ? 1 : 400));
        const run = {
            status: 'Finished',
            execution_time: 0.1,
            return_code: 0,
            stdout: `${printed}\n`,
            stderr: '',
        };
        return {
            status: 200,
            json: { status: 'Success', message: '', compile_result: null, run_result: run },
        };
    }
}

const SAMPLES = 20;
const EACH = 30;
const servers = Array.from({ length: 25 }, () => new QuickFusion());

beforeAll(async () => void (await Promise.all(servers.map((server) => server.start()))));
afterAll(async () => void (await Promise.all(servers.map((server) => server.stop()))));

function writeDataset(dir: string): string {
    const rows = Array.from({ length: SAMPLES }, (_, sample) => {
        const program = (printed: number, kind: string, index: number) => ({
            language: 'PYTHON3',
            source: `print(${printed}) # ${kind}-${sample}-${index}\n`,
        });
        const many = (printed: number, kind: string) =>
            Array.from({ length: EACH / 2 }, (__, index) => program(printed, kind, index));
        return JSON.stringify({
            id: `sample-${sample}`,
            tests: [{ input: '1\n', output: '3\n' }],
            solutions: many(3, 'right'),
            incorrect_solutions: many(4, 'wrong'),
        });
    });
    const file = join(dir, 'problems.jsonl');
    writeFileSync(file, `${rows.join('\n')}\n`);
    return file;
}

/** Verdicts by `sample group index`. Fails if a task occurs twice. */
function verdictsOf(dir: string): Map<string, string> {
    const verdicts = new Map<string, string>();
    for (const [, file] of readResults(dir)) {
        for (const group of ['solution', 'incorrect_solution']) {
            const entries = file[`${group}_result`] as { index: number; result: { verdict: string } }[];
            for (const { index, result } of entries) {
                const key = `${String(file['id'])} ${group} ${index}`;
                expect(verdicts.has(key), `${key} stands twice`).toBe(false);
                verdicts.set(key, result.verdict);
            }
        }
    }
    return verdicts;
}

describe('a run over servers', () => {
    it('killed with hundreds of requests in flight, loses nothing and does nothing twice', async () => {
        const cwd = tempDir();
        const dataset = writeDataset(cwd);
        const config = join(cwd, 'resume-run.config.json');
        const endpoint = servers.map((server) => ({ url: server.url, concurrency: 8 }));
        writeFileSync(config, JSON.stringify({ endpoint }));
        const args = [
            dataset,
            '--executor',
            'sandbox-fusion',
            '--dir',
            'results',
            '--config',
            config,
            '--json',
        ];
        const first = startCli(args, { cwd });
        await expect
            .poll(() => servers.reduce((sum, server) => sum + server.inFlight, 0), {
                timeout: patience(10_000),
                interval: 10,
            })
            .toBeGreaterThan(150);
        const results = join(cwd, 'results');
        const committed = () => (existsSync(results) ? verdictsOf(results).size : 0);
        await expect.poll(committed, { timeout: patience(10_000), interval: 10 }).toBeGreaterThan(20);
        killGroup(first.child);
        await first.result;
        const before = verdictsOf(results);
        expect(before.size).toBeLessThan(SAMPLES * EACH);
        for (const server of servers) server.asked.clear();
        const second = await runCli(args, { cwd });
        expect(second.code, second.stderr + second.stdout.slice(-2000)).toBe(0);
        const after = verdictsOf(results);
        expect(after.size).toBe(SAMPLES * EACH);
        for (const [key, verdict] of after) {
            expect(verdict, key).toBe(key.includes('incorrect') ? 'WrongAnswer' : 'Accepted');
        }
        // Committed programs were not sent again; all others were sent once more.
        const asked = new Map(
            servers.flatMap((server) => [...server.asked]).filter(([id]) => id !== 'probe'),
        );
        expect(asked.size).toBe(SAMPLES * EACH - before.size);
        expect(
            servers
                .flatMap((server) => [...server.asked])
                .filter(([id]) => id !== 'probe')
                .every(([, times]) => times === 1),
        ).toBe(true);
    });

    it('stops, and says why, when no endpoint takes its requests', async () => {
        const cwd = tempDir();
        const dataset = writeDataset(cwd);
        const refusing = await new QuickFusion().start();
        refusing.misbehave = () => ({ kind: 'status', status: 401 });
        const args = [
            dataset,
            '--executor',
            'sandbox-fusion',
            '--dir',
            'results',
            '--endpoint',
            refusing.url,
        ];
        const result = await runCli(args, { cwd });
        await refusing.stop();
        expect(result.code).not.toBe(0);
        expect(result.stdout + result.stderr).toContain('all endpoints refuse our requests');
        expect(result.stdout + result.stderr).toContain('HTTP 401');
        expect(refusing.seen.length).toBeLessThan(20);
    });
});
