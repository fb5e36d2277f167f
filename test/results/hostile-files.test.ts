import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/results/store/open-store.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from './records.js';

it('sets a batch aside that is nested too deeply, and collects the others', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'temp_results'));
    const write = (name: string, extra: string): void =>
        writeFileSync(
            join(cwd, 'temp_results', name),
            `{"model":"m","results":[{"task_id":"${name}","success":true,"more":${extra}}],"result_count":1}`,
        );
    write('m_1_1_a.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    write('m_1_2_b.json', '1');
    expect(await callCli(['collect'], { cwd })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('1 record added'),
        stderr: expect.stringMatching(
            /m_1_1_a\.json is not a batch \(it is nested more than 1000 levels deep\)/,
        ),
    });
    expect(readdirSync(join(cwd, 'temp_results/set-aside'))).toEqual(['m_1_1_a.json']);
});

it('names a file that is cut off or still being written, and leaves it for the next collection', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'temp_results'));
    writeFileSync(join(cwd, 'temp_results', 'm_1_1.json'), '{"model": "m", "resu');
    expect(await callCli(['collect'], { cwd })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('there is nothing to collect'),
        stderr: expect.stringMatching(
            /^warning: .*m_1_1\.json is cut off or still being written: it stays for the next collection\n$/,
        ),
    });
    expect(readdirSync(join(cwd, 'temp_results')).sort()).toEqual(['m_1_1.json', 'retired']);
});

it('sets a batch aside that holds a record larger than any of ours, and keeps the start of a long error message', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'temp_results'));
    const write = (name: string, result: object): void =>
        writeFileSync(
            join(cwd, 'temp_results', name),
            JSON.stringify({ model: 'm', results: [result], result_count: 1 }),
        );
    write('m_1_1_a.json', { task_id: 'a', dimensions: { text: 'x'.repeat(17 << 20) } });
    write('m_1_2_b.json', { task_id: 'b', success: false, error_message: 'x'.repeat(1 << 20) });
    expect(await callCli(['collect'], { cwd })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('1 record added'),
        stderr: expect.stringMatching(
            /m_1_1_a\.json is not a batch \(record: expected at most 16777216 bytes/,
        ),
    });
    expect(readdirSync(join(cwd, 'temp_results/set-aside'))).toEqual(['m_1_1_a.json']);
    const sql = 'select sample, length(failure_message) as characters from records';
    const { stdout } = await callCli(['analyze', '--database', 'database', '--sql', sql, '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ rows: [{ sample: 'b', characters: 64 * 1024 }] });
});

it('reads no file that is larger than any batch or text can be, and says so in one line', async () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'temp_results'));
    for (const [name, bytes] of [
        ['temp_results/m_1_1.json', 300 << 20],
        ['master.json', 600 << 20],
    ] as const) {
        writeFileSync(join(cwd, name), '');
        truncateSync(join(cwd, name), bytes);
    }
    const tooLarge = 'it is larger than 256 MiB, the limit for batches and databases of counts';
    expect(await callCli(['collect'], { cwd })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('there is nothing to collect'),
        stderr: expect.stringMatching(
            new RegExp(`m_1_1\\.json is not a batch \\(${tooLarge}\\): moved to .*\n$`),
        ),
    });
    expect(readdirSync(join(cwd, 'temp_results/set-aside'))).toEqual(['m_1_1.json']);
    expect((await callCli(['collect', '--from', 'master.json'], { cwd })).stderr).toMatch(
        new RegExp(`^warning: .*master\\.json is left out: .*; ${tooLarge}\n$`),
    );
    expect(await callCli(['analyze', '--audit', 'master.json'], { cwd })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
            /^resume-run: cannot read .*master\.json: it is too large to be read as one text, which may have 512 MB\n$/,
        ),
    });
});

it.for([
    ['../../etc', 'a list of files in parts'],
    ['/etc/passwd', 'a list of files in parts'],
    ['keys/a.jsonl', 'a list of files in parts'],
    ['parts/../x', 'a list of files in parts'],
    ['twice', 'it names "parts/.*" twice'],
])('takes no manifest that names the part %s', async ([path = '', why = '']) => {
    const cwd = tempDir();
    const dir = join(cwd, 'database');
    const store = await openStore({ dir, storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(2));
    await store.close();
    const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    const [part] = manifest.parts;
    manifest.parts = path === 'twice' ? [part, part] : [{ ...part, path }];
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
    for (const command of [['database', 'info'], ['export'], ['collect', '--from', 'database']])
        expect(
            await callCli(command[0] === 'export' ? ['export', '--database', dir] : command, { cwd }),
        ).toMatchObject({
            code: 2,
            stdout: '',
        });
    expect((await callCli(['database', 'info'], { cwd })).stderr).toMatch(new RegExp(`is damaged: .*${why}`));
});

it('says which file of retired keys is damaged', async () => {
    const cwd = tempDir();
    const dir = join(cwd, 'database');
    const store = await openStore({ dir, storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(2));
    await store.close();
    const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    mkdirSync(join(dir, 'retirements'));
    writeFileSync(join(dir, 'retirements/a.jsonl'), '{"run":1}\n');
    manifest.retirements = [{ path: 'retirements/a.jsonl', records: 1, bytes: 10 }];
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
    expect(await callCli(['database', 'compact'], { cwd })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
            /^resume-run: cannot open the database: .*retirements\/a\.jsonl: .*\n$/,
        ),
    });
});
