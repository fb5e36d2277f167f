import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `item-${i}\n`).join('');

/** How often each line was handed to the command. */
function callsIn(log: string): Map<string, number> {
    const calls = new Map<string, number>();
    for (const line of readFileSync(log, 'utf8').trim().split('\n'))
        calls.set(line, (calls.get(line) ?? 0) + 1);
    return calls;
}

describe('a command over a list', () => {
    it('goes on after kill -9, without run.json too, and runs only rows that are new', async () => {
        const cwd = tempDir();
        const log = join(cwd, 'log');
        writeFileSync(join(cwd, 'items.txt'), lines(300));
        const command = ['--executor', 'exec', '--', 'sh', '-c', 'echo "$0" >> log', '{line}'];
        const args = ['items.txt', '--rows-per-sample', '100', '-j', '2', ...command];
        const first = startCli(args, { cwd });
        for (let i = 0; i < 500 && !existsSync(log); i += 1) {
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        killGroup(first.child);
        await first.result;
        expect((await callCli(args, { cwd })).code).toBe(0);
        expect(callsIn(log).size).toBe(300);

        const before = readFileSync(log, 'utf8');
        rmSync(join(cwd, 'checkpoints'), { recursive: true });
        // The first line is removed and another added at the front; splitting by the number of rows would give different samples.
        writeFileSync(join(cwd, 'items.txt'), `fresh\n${lines(300).replace('item-0\n', '')}`);
        const again = await callCli(['items.txt', '--rows-per-sample', '7', ...command], { cwd });
        expect(again.code, again.stderr).toBe(0);
        expect(readFileSync(log, 'utf8')).toBe(`${before}fresh\n`);
        expect([...readResults(join(cwd, 'results')).keys()]).toEqual([
            'items.txt-1of3.json',
            'items.txt-2of3.json',
            'items.txt-3of3.json',
        ]);
    });

    it('refuses a field that no row has, in a dry run too', async () => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'u.csv'), 'ID,url\n1,http://x\n');
        for (const dry of [['--dry-run'], []]) {
            const { code, stderr } = await callCli(
                ['u.csv', ...dry, '--executor', 'exec', '--', 'echo', '{ID}', '{ulr}'],
                {
                    cwd,
                },
            );
            expect(code).toBe(2);
            expect(stderr).toContain('{ulr}, which no row of u.csv has; its fields: {ID}, {url}');
        }
    });
});
