import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { makeSourceCounts } from '../../src/results/collect/source.js';
import type { ResultRecord } from '../../src/results/record/record.js';
import { collectSpool, SpoolSweep } from '../../src/results/spool/collect-spool.js';
import { Spool, type SpoolMark } from '../../src/results/spool/spool.js';
import type { ResultStore } from '../../src/results/result-store.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { type Cli, killGroup, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { SOON } from '../rig/slowness.js';
import { records } from './records.js';

const batches = (dir: string): string[] => readdirSync(dir).filter((name) => name.endsWith('.json'));

async function recordsIn(database: string): Promise<ResultRecord[]> {
    const all: ResultRecord[] = [];
    for await (const some of await (await readGeneration(database)).records()) all.push(...some);
    return all.sort((a, b) => (a.fingerprint + a.sample < b.fingerprint + b.sample ? -1 : 1));
}

const open = (dir: string) => openStore({ dir, storage: null, onNotice: () => undefined });

describe('the spool of a run', () => {
    const spoolIn = (dir: string, more: object = {}) => {
        const marks: SpoolMark[] = [];
        const notices: string[] = [];
        const onNotice = (message: string): unknown => notices.push(message);
        const onDurable = (mark: SpoolMark): unknown => marks.push(mark);
        const spool = new Spool({ dir, name: 'a/b', holder: 'h0123456789ab', onNotice, onDurable, ...more });
        return { spool, marks, notices };
    };

    it('is swept now and then, not at each of many collections', async () => {
        const dir = tempDir();
        mkdirSync(join(dir, 'retired'));
        const old = (name: string): void => {
            writeFileSync(join(dir, 'retired', name), '');
            expect(existsSync(join(dir, 'retired', name))).toBe(true);
        };
        const kept = { dir, counts: makeSourceCounts(), onNotice: () => undefined };
        // Ctimes cannot be set, so nothing is older than a tenth of a second.
        const keepDays = 0.1 / 86_400;
        const sweep = new SpoolSweep();
        const store = await open(join(dir, 'db'));
        old('a.json');
        await wait(150);
        await collectSpool(store, { ...kept, keepDays, sweep });
        expect(readdirSync(join(dir, 'retired'))).toEqual([]);
        const days = new SpoolSweep();
        old('b.json');
        await collectSpool(store, { ...kept, keepDays: 7, sweep: days });
        await wait(150);
        await collectSpool(store, { ...kept, keepDays, sweep: days });
        expect(readdirSync(join(dir, 'retired'))).toEqual(['b.json']);
        await collectSpool(store, { ...kept, keepDays: 0, sweep });
        expect(readdirSync(join(dir, 'retired'))).toEqual([]);
        await store.close();
    });

    it('writes whole batches, and tells of a mark when what came before it is on disk', async () => {
        const dir = tempDir();
        const { spool, marks } = spoolIn(dir, { batchAge: 20 });
        const [first, second] = records(2) as [ResultRecord, ResultRecord];
        spool.add('s', { kind: 'record', record: first });
        spool.mark({ sample: 's', stamp: '1' });
        expect(marks).toEqual([]);
        await vi.waitUntil(() => marks.length > 0, SOON);
        expect(batches(dir)).toHaveLength(1);
        spool.add('t', { kind: 'record', record: second });
        await spool.flush();
        expect(batches(dir)).toHaveLength(2);
        expect(batches(dir)[0]).toMatch(/^a%2Fb_\d+_\d+_[0-9a-f]{8}\.json$/);
        const store = await open(join(dir, 'db'));
        const counts = makeSourceCounts();
        const onNotice = (): void => undefined;
        expect(await collectSpool(store, { dir, keepDays: 7, counts, onNotice })).toMatchObject({ added: 2 });
        expect(batches(dir)).toEqual([]);
        expect(readdirSync(join(dir, 'retired'))).toHaveLength(2);
        await collectSpool(store, { dir, keepDays: 0, counts, onNotice });
        expect(readdirSync(join(dir, 'retired'))).toEqual([]);
        await store.close();
    });

    it.each([
        ['where the disk does not take them', { dir: '/proc/nowhere' }],
        ['that do not fit into its memory', { waitingBytes: 600 }],
    ])('drops changes %s, says so once, and gives their sample no mark', async (_, more) => {
        const { spool, marks, notices } = spoolIn(tempDir(), more);
        for (const record of records(3)) spool.add('s', { kind: 'record', record });
        spool.mark({ sample: 's', stamp: '1' });
        await spool.flush();
        spool.mark({ sample: 's', stamp: '2' });
        await spool.flush();
        expect(marks).toEqual([]);
        expect(notices).toHaveLength(1);
    });
});

describe('the collector of the spool', () => {
    it('retires batches only when they are committed, and sets aside what is none', async () => {
        const cwd = tempDir();
        const dir = join(cwd, 'temp_results');
        mkdirSync(dir);
        const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);
        put(
            'm_1_1.json',
            '{"model": "m", "results": [{"success": true, "tool_success_rate": 80}, {"success": true, "tool_success_rate": 90}]}',
        );
        put('foreign.json', '[1, 2]');
        put('torn.json', '{"model": "m", "resu');
        const notices: string[] = [];
        const options = { dir, keepDays: 7, onNotice: (message: string) => void notices.push(message) };
        const store = await open(join(cwd, 'database'));
        const failing: ResultStore = {
            generation: 0,
            commit: async (changes) => {
                for await (const some of changes)
                    expect(some).toMatchObject([{ kind: 'line' }, { kind: 'line' }]);
                throw new Error('the disk is full');
            },
            compact: () => Promise.resolve(),
            close: () => Promise.resolve(),
        };
        const counts = makeSourceCounts();
        await expect(collectSpool(failing, { ...options, counts })).rejects.toThrow('the disk is full');
        // The earlier tools write in place, so a recent torn file may become complete in a moment.
        expect(batches(dir)).toEqual(['m_1_1.json', 'torn.json']);
        expect(readdirSync(join(dir, 'set-aside'))).toEqual(['foreign.json']);
        expect(await collectSpool(store, { ...options, counts })).toMatchObject({ added: 2 });
        expect(batches(dir)).toEqual(['torn.json']);
        put('torn.json', '{"model": "m", "results": [{"success": false}]}');
        expect(await collectSpool(store, { ...options, counts })).toMatchObject({ added: 1 });
        expect(notices.join()).toMatch(/foreign\.json is not a batch .*: moved to/);
        // In each of the two collections that met it: one line, however many results have such a rate.
        expect(notices.filter((one) => one.includes('as a percentage'))).toHaveLength(2);
        await store.close();
    });
});

/** A run of a module over `samples` samples of four tasks each. */
function scene(samples: number, ms: number) {
    const cwd = tempDir();
    const task = (order: number) => ({ do: order < 0 ? 'throw' : 'sleep', ms, order });
    const write = (orders: readonly number[]): void => {
        const rows = Array.from({ length: samples }, (_, at) =>
            JSON.stringify({ id: `s/${at}`, groups: { main: orders.map(task) } }),
        );
        writeFileSync(join(cwd, 'rows.jsonl'), `${rows.join('\n')}\n`);
    };
    const module = join(import.meta.dirname, '../rig/tasks/obey.mjs');
    const args = ['rows.jsonl', '--executor', 'module', '--module', module, '--retries', '0'];
    const line = (more: readonly string[]) => [...args, '-j', '4', '--mode', 'async', ...more];
    const place = { cwd, env: { USE_RESULT_COLLECTOR: '1' } };
    const start = (...more: string[]): Cli => startCli(line(more), place);
    const run = (...more: string[]) => callCli(line(more), place);
    return { cwd, write, start, run };
}

describe('a run with --collect', () => {
    it('loses nothing to kill -9, follows a changed dataset, and equals a collection of its files', async () => {
        const { cwd, write, start, run } = scene(12, 60);
        write([1, 2, -3, 4]);
        const killed = start();
        const results = join(cwd, 'results');
        await vi.waitUntil(() => existsSync(results) && readdirSync(results).length >= 6, SOON);
        killGroup(killed.child);
        await killed.result;
        const { stdout, stderr, code } = await run();
        expect(code).toBe(1);
        expect(stdout + stderr).toMatch(/使用JSON存储格式/);
        const database = join(cwd, 'database');
        const first = await recordsIn(database);
        expect(first).toHaveLength(48);
        expect(first.filter((one) => one.failure_reason === 'task-threw')).toHaveLength(12);
        // The failing task is gone, two tasks change places, one is new.
        write([2, 1, 5, 4]);
        expect((await run()).code).toBe(0);
        expect(readdirSync(join(cwd, 'temp_results'))).toEqual(['retired']);
        const spooled = await recordsIn(database);
        await callCli(['collect', '--from', 'results', '--database', 'other'], { cwd });
        expect(spooled).toEqual(await recordsIn(join(cwd, 'other')));
        expect(spooled).toHaveLength(48);
        expect(spooled.every((one) => one.verdict === 'Accepted')).toBe(true);
    });

    it('spools into the folder of RESULT_TEMP_DIR, and into that of --temp-dir before it', async () => {
        const { cwd, write } = scene(1, 0);
        write([1, 2]);
        const module = join(import.meta.dirname, '../rig/tasks/obey.mjs');
        const args = [
            'rows.jsonl',
            '--executor',
            'module',
            '--module',
            module,
            '--mode',
            'async',
            '--collect',
        ];
        const env = { RESULT_TEMP_DIR: 'elsewhere' };
        expect((await callCli([...args, '--dir', 'a', '--quiet'], { cwd, env })).code).toBe(0);
        const named = [...args, '--dir', 'b', '--quiet', '--temp-dir', 'named'];
        expect((await callCli(named, { cwd, env })).code).toBe(0);
        for (const folder of ['elsewhere', 'named'])
            expect(readdirSync(join(cwd, folder))).toEqual(['retired']);
        expect(existsSync(join(cwd, 'temp_results'))).toBe(false);
        expect(await recordsIn(join(cwd, 'database'))).toHaveLength(4);
    });

    it('leaves its results to another collector that holds the database, which goes on while it is idle', async () => {
        const { cwd, write, run } = scene(2, 0);
        write([1, 2]);
        const watcher = startCli(['collect', '--watch', '--json'], { cwd });
        const seen: string[] = [];
        watcher.child.stdout?.on('data', (text: string) => seen.push(text));
        await vi.waitUntil(() => existsSync(join(cwd, 'database/manifest.json')), SOON);
        const end = await run('--quiet');
        expect(end.code).toBe(0);
        await vi.waitUntil(() => seen.join('').includes('"added":4'), SOON);
        // A run without --collect leaves nothing in the spool.
        await run('--no-collect', '--rerun', 'all', '--quiet');
        watcher.child.kill('SIGTERM');
        expect((await watcher.result).code).toBe(143);
        expect(await recordsIn(join(cwd, 'database'))).toHaveLength(4);
        // Tasks re-run without it are spooled by the next start with it.
        expect((await run('--quiet')).code).toBe(0);
        const revisions = (await recordsIn(join(cwd, 'database'))).map((one) => one.revision);
        expect(revisions).toEqual([2, 2, 2, 2]);
    });

    it('waits with --watch until a full disk has room again, and then loses nothing', async () => {
        const { cwd, write, run } = scene(2, 0);
        write([1, 2]);
        expect((await callCli(['collect'], { cwd })).code).toBe(0);
        const parts = join(cwd, 'database/parts');
        const fault = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=ENOSPC:when=1'];
        const through = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', parts, ...fault];
        await run('--database', 'other', '--quiet');
        renameSync(join(cwd, 'temp_results/retired'), join(cwd, 'spool'));
        const watcher = startCli(['collect', '--watch', '--temp-dir', 'spool'], { cwd, through });
        let told = '';
        watcher.child.stderr?.on('data', (text: string) => {
            told += text;
        });
        await vi.waitUntil(() => told.includes('结果收集失败'), SOON);
        // Another process holds the database at the next attempt, and for a while after that.
        const dir = join(cwd, 'database');
        const other = await openStore({ dir, storage: null, onNotice: () => undefined });
        await wait(3000);
        await other.close();
        await vi.waitUntil(async () => (await recordsIn(join(cwd, 'database'))).length === 4, SOON);
        killGroup(watcher.child);
        const { stdout, stderr } = await watcher.result;
        expect(stderr.match(/结果收集失败.*the disk is full.*continues once there is room/g)).toHaveLength(1);
        expect(stdout.match(/使用JSON存储格式/g)).toHaveLength(1);
    });

    it('says the format of the database beside the warning about another one', async () => {
        const { write, run } = scene(1, 0);
        write([1]);
        await run();
        write([1, 2]);
        const { stdout, stderr } = await run('--storage', 'parquet');
        expect(stdout + stderr).toMatch(
            /has json parts, and new parts are written as parquet; run `resume-run migrate --to parquet`/,
        );
        expect(stdout + stderr).toContain('[INFO] 使用Parquet存储格式');
    });

    it('goes on where it cannot collect', async () => {
        const { cwd, write, run } = scene(1, 0);
        write([1]);
        writeFileSync(join(cwd, 'temp_results'), 'a file');
        const { code, stdout, stderr } = await run();
        expect(code).toBe(0);
        expect(stdout + stderr).toMatch(/ResultCollector不可用/);
        expect(readFileSync(join(cwd, 'temp_results'), 'utf8')).toBe('a file');
    });
});
