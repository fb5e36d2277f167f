import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { join, resolve } from 'node:path';
import type { Job } from 'kubernetes-types/batch/v1.js';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readResults } from '../rig/cli.js';
import { DOCS, fencesOf, userFolder } from '../rig/docs.js';
import { patience } from '../rig/slowness.js';

/*
 * The page about clusters: its scripts run with the variables and signals of the schedulers, and its manifest fits the types of
 * the Kubernetes API.
 */

const fences = fencesOf(readFileSync(join(DOCS, 'how-to/run-on-a-cluster.md'), 'utf8'));
const fileOf = (name: string): string => fences.find(({ info }) => info.includes(`file=${name}`))?.text ?? '';

/** Programs that take a second each. */
const program = (id: number): string =>
    JSON.stringify({
        id: `p${id}`,
        tests: [{ input: '2', output: '2' }],
        solutions: [{ language: 'PYTHON3', source: 'import time; time.sleep(1); print(input())' }],
    });

function prepare(ids: readonly number[]) {
    const { cwd, path } = userFolder();
    writeFileSync(join(cwd, 'problems.jsonl'), ids.map((id) => `${program(id)}\n`).join(''));
    const env = { HOME: process.env['HOME'], PATH: path };
    return { cwd, env };
}

it('a Slurm job that is preempted saves what is finished, and does the rest when it is requeued', async () => {
    const { cwd, env } = prepare([1, 2, 3, 4]);
    writeFileSync(join(cwd, 'judge.sbatch'), fileOf('judge.sbatch'));
    const slurm = { ...env, SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '1', SLURM_CPUS_PER_TASK: '1' };
    const results = join(cwd, 'results');
    const job = spawn('bash', ['judge.sbatch'], { cwd, env: slurm, stdio: 'ignore' });
    const ended = new Promise<number | null>((done) => job.once('close', done));
    const deadline = Date.now() + patience(30_000);
    while (
        job.exitCode === null &&
        (!existsSync(results) || readResults(results).size === 0) &&
        Date.now() < deadline
    )
        await wait(20);
    // As Slurm does: SIGCONT first, in case the job is suspended.
    job.kill('SIGCONT');
    job.kill('SIGTERM');
    expect(await ended).toBe(143);
    const saved = readResults(results).size;
    expect(saved).toBeGreaterThan(0);
    expect(saved).toBeLessThan(4);
    const again = spawnSync('bash', ['judge.sbatch'], { cwd, env: slurm, encoding: 'utf8' });
    expect(again.status, again.stderr).toBe(0);
    expect(readResults(results).size).toBe(4);
});

/** The type errors of a manifest against the types of the Kubernetes API; empty if it fits. */
function checkManifest(manifest: object, module: string, type: string): string {
    const typed = `import type { ${type} } from 'kubernetes-types/${module}.js';\nexport const one: ${type} = ${JSON.stringify(manifest)};\n`;
    // Next to node_modules, where the types are found.
    const file = join(resolve(DOCS, '..'), 'node_modules', `.manifest-${type}.mts`);
    writeFileSync(file, typed);
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--types', '', '--module', 'nodenext'];
    const { status, stdout, stderr } = spawnSync(
        join(DOCS, '../node_modules/.bin/tsc'),
        [...options, '--target', 'es2023', '--ignoreConfig', file],
        { encoding: 'utf8' },
    );
    return status === 0 ? '' : stdout + stderr;
}

it('the Deployment of workers has a valid manifest', () => {
    const page = fencesOf(readFileSync(join(DOCS, 'how-to/spread-over-machines.md'), 'utf8'));
    const text = page.find(({ info }) => info.includes('file=workers.yaml'))?.text ?? '';
    const deployment = parse(text) as { readonly spec: object };
    expect(checkManifest(deployment, 'apps/v1', 'Deployment')).toBe('');
    expect(checkManifest({ ...deployment, spec: 8 }, 'apps/v1', 'Deployment')).not.toBe('');
});

it('a Kubernetes job has a valid manifest, and its command runs the shard of its index', () => {
    const { cwd, env } = prepare([1, 2]);
    const job = parse(fileOf('job.yaml')) as Job;
    expect(checkManifest(job, 'batch/v1', 'Job')).toBe('');
    const [container] = job.spec?.template.spec?.containers ?? [];
    const [command = '', ...args] = container?.command ?? [];
    for (const index of ['0', '1']) {
        const { status, stderr } = spawnSync(command, args, {
            cwd,
            env: { ...env, JOB_COMPLETION_INDEX: index },
            encoding: 'utf8',
        });
        expect(status, stderr).toBe(0);
    }
    expect([...readResults(join(cwd, 'results')).keys()].sort()).toEqual(['p1.json', 'p2.json']);
});

const hasParallel = spawnSync('parallel', ['--version']).status === 0;
if (!hasParallel) console.error('shards by GNU parallel: skipped, `parallel` is not installed');

it.skipIf(!hasParallel)('GNU parallel runs the shards side by side', () => {
    const { cwd, env } = prepare([1, 2, 3]);
    const line = fences.find(({ info }) => info.includes('needs-machines'))?.text ?? '';
    // This machine stands in for both nodes, so no ssh is needed.
    const local = line.replace('--sshlogin node1,node2', '--sshlogin 2/:').replace('--jobs 1', '--jobs 2');
    expect(local).not.toBe(line);
    const { status, stderr } = spawnSync('bash', ['-c', local], { cwd, env, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(readResults(join(cwd, 'results')).size).toBe(3);
});
