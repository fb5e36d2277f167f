import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { whyNoInjection } from '../crash/inject.js';
import { readResults, runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/** Prints what the task's id says; exits with 1 for an id that begins with `bad`. */
const SCRIPT = `
case $1 in
    *small) printf out; printf err >&2 ;;
    *long) head -c 40000 /dev/zero | tr '\\0' o; head -c 50000 /dev/zero | tr '\\0' e >&2; printf last >&2 ;;
    *bytes) printf 'a\\377b' ;;
    *flood) head -c 17000000 /dev/zero | tr '\\0' f ;;
esac
case $1 in bad*) exit 1 ;; esac`;

const COMMAND = ['--executor', 'exec', '--retries', '0', '--', 'sh', '-c', SCRIPT, 'sh', '{id}'];

function writeRows(cwd: string, ids: readonly string[]): void {
    const rows = ids.map((id) => JSON.stringify({ id, groups: { iteration: [1] } }));
    writeFileSync(join(cwd, 'rows.jsonl'), rows.join('\n'));
}

const run = (cwd: string, ...args: string[]) =>
    callCli(['rows.jsonl', '--dir', 'res', '-q', ...args, ...COMMAND], { cwd });

interface FileOfOutput {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
}

interface Kept {
    readonly stdout?: string;
    readonly stderr?: string;
    readonly stdout_file?: FileOfOutput;
    readonly stderr_file?: FileOfOutput;
    readonly stdout_cut?: number;
}

interface Attempts {
    readonly attempts: readonly { readonly run_result?: Kept }[];
}

/** What was kept of each task's last attempt, by id. */
function keptOf(cwd: string): Map<string, Kept> {
    const kept = new Map<string, Kept>();
    for (const result of readResults(join(cwd, 'res')).values()) {
        const { id, iteration_result, failures } = result as {
            readonly id: string;
            readonly iteration_result: readonly {
                readonly result: {
                    readonly tests: readonly { readonly exec_info: { readonly run_result: Kept } }[];
                };
            }[];
            readonly failures?: readonly Attempts[];
        };
        const passed = iteration_result[0]?.result.tests[0]?.exec_info.run_result;
        kept.set(id, passed ?? failures?.[0]?.attempts.at(-1)?.run_result ?? {});
    }
    return kept;
}

/** Reads an output file and checks it against its entry. */
function readOutput(cwd: string, file: FileOfOutput | undefined): Buffer {
    if (file === undefined) throw new Error('no output file is named');
    expect(file.path).toBe(`.outputs/${file.sha256}`);
    const bytes = readFileSync(join(cwd, 'res', file.path));
    expect(bytes.length).toBe(file.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    return bytes;
}

it.each(['c', 'python'])(
    'keeps what commands printed, of failed attempts too, inline or in files (helper in %s)',
    async (helper) => {
        const cwd = tempDir();
        writeRows(cwd, ['small', 'bad-small', 'bad-long', 'long', 'bytes', 'flood']);
        const ended = await callCli(['rows.jsonl', '--dir', 'res', '-q', ...COMMAND], {
            cwd,
            env: { RESUME_RUN_HELPER: helper },
        });
        expect(ended.code, ended.stderr).toBe(1);
        const kept = keptOf(cwd);
        expect(kept.get('small')).toMatchObject({ stdout: 'out', stderr: 'err' });
        expect(kept.get('bad-small')).toMatchObject({ stdout: 'out', stderr: 'err' });
        for (const id of ['long', 'bad-long']) {
            const { stdout_file, stderr_file, ...rest } = kept.get(id) ?? {};
            expect(rest).not.toHaveProperty('stdout');
            expect(rest).not.toHaveProperty('stdout_cut');
            expect(readOutput(cwd, stdout_file).toString()).toBe('o'.repeat(40_000));
            expect(readOutput(cwd, stderr_file).toString()).toBe(`${'e'.repeat(50_000)}last`);
        }
        expect(readOutput(cwd, kept.get('bytes')?.stdout_file)).toEqual(Buffer.from([0x61, 0xff, 0x62]));
        expect(kept.get('bytes')).toMatchObject({ stderr: '' });
        expect(kept.get('flood')).toMatchObject({ stdout_cut: 17_000_000 });
        expect(readOutput(cwd, kept.get('flood')?.stdout_file).length).toBe(16 * 1024 * 1024);
        // Equal outputs share a file, and no temporary files are left.
        expect(readdirSync(join(cwd, 'res/.outputs')).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual(
            [],
        );
        expect(readdirSync(join(cwd, 'res/.outputs'))).toHaveLength(4);
    },
);

it('leaves out the keys of output that is not kept, and remembers the choice', async () => {
    const cwd = tempDir();
    writeRows(cwd, ['small', 'bad-long']);
    await run(cwd, '--keep-output', 'failed', '--output-limit', '1024');
    // A later start does not adopt the default of new directories.
    await run(cwd, '--rerun', 'all');
    const kept = keptOf(cwd);
    expect(kept.get('small')).toMatchObject({ status: 'Finished' });
    expect(kept.get('small')).not.toHaveProperty('stdout');
    expect(kept.get('small')).not.toHaveProperty('stderr');
    expect(kept.get('bad-long')).toMatchObject({ stdout: 'o'.repeat(1024), stdout_cut: 40_000 });
    expect(existsSync(join(cwd, 'res/.outputs'))).toBe(false);
    const { options } = JSON.parse(readFileSync(join(cwd, 'checkpoints/res/run.json'), 'utf8')) as {
        readonly options: Record<string, unknown>;
    };
    expect(options).toMatchObject({ 'keep-output': 'failed', 'output-limit': 1024 });
});

const reason = whyNoInjection();
if (reason !== null) console.error(`faults at output files: skipped, ${reason}`);

const injected = (...faults: string[]): string[] => ['strace', '-f', '-qq', '-o', '/dev/null', ...faults];

it.skipIf(reason !== null).each([
    { moment: 'an output file and before its entry', folder: 'res/.outputs' },
    { moment: 'an entry that names output files', folder: 'res' },
])(
    'kill -9 after writing $moment leaves no entry that names a file that is not there',
    async ({ folder }) => {
        const cwd = tempDir();
        writeRows(cwd, ['long', 'bytes']);
        const killed = await runCli(['rows.jsonl', '--dir', 'res', '-q', '-j', '1', ...COMMAND], {
            cwd,
            through: injected('-P', join(cwd, folder), '-e', 'trace=fsync', '-e', 'inject=fsync:signal=KILL'),
        });
        expect(killed.signal).toBe('SIGKILL');
        for (const { stdout_file } of keptOf(cwd).values()) readOutput(cwd, stdout_file);
        expect((await run(cwd)).code).toBe(0);
        const kept = keptOf(cwd);
        expect(readOutput(cwd, kept.get('long')?.stdout_file).length).toBe(40_000);
        expect(readOutput(cwd, kept.get('bytes')?.stdout_file).length).toBe(3);
        expect(readdirSync(join(cwd, 'res/.outputs'))).toHaveLength(3);
    },
);

it.skipIf(reason !== null)('ends with exit 4 where an output file cannot be written', async () => {
    const cwd = tempDir();
    writeRows(cwd, ['long']);
    const full = await runCli(['rows.jsonl', '--dir', 'res', '-q', ...COMMAND], {
        cwd,
        through: injected(
            '-P',
            join(cwd, 'res/.outputs'),
            '-e',
            'trace=fsync',
            '-e',
            'inject=fsync:error=ENOSPC',
        ),
    });
    expect(full.code, full.stderr).toBe(4);
    expect(full.stderr).toMatch(/\.outputs\/[0-9a-f]{64}: the disk is full/);
    expect(keptOf(cwd).size).toBe(0);
    expect((await run(cwd)).code).toBe(0);
    expect(readOutput(cwd, keptOf(cwd).get('long')?.stdout_file).length).toBe(40_000);
});
