import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aliveIn, eventSeen } from '../crash/processes.js';
import { killGroup, readResults, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

if (NO_REDIS !== null) console.error(`the demonstration of a queue: skipped, ${NO_REDIS}`);

const OBEY = join(import.meta.dirname, '../rig/tasks/obey.mjs');
const ROWS = 12;

/** The socket of the demo's Redis, as the run prints it. */
const findSocket = (stdout: string): string => /unix:\/\/(\S+)/.exec(stdout)?.[1] ?? '';

it.skipIf(NO_REDIS !== null)(
    '--demo runs over a Redis and two workers of its own, and a killed run leaves none of them behind',
    { timeout: patience(60_000) },
    async () => {
        const cwd = tempDir();
        const rows = Array.from({ length: ROWS }, (_, id) => ({ id: `r${id}`, do: 'sleep', ms: 150 }));
        writeFileSync(join(cwd, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
        const args = 'run rows.jsonl --rows-per-sample 1 --executor module --demo --json --module'
            .split(' ')
            .concat(OBEY);
        const killed = startCli(args, { cwd });
        await eventSeen(killed, 'task-finished', 2);
        killGroup(killed.child);
        const socket = findSocket((await killed.result).stdout);
        expect(existsSync(join(cwd, 'queue-demo'))).toBe(true);
        expect(await aliveIn(cwd, patience(15_000))).toEqual([]);
        await expect.poll(() => existsSync(socket), { timeout: patience(5000) }).toBe(false);

        const { code, stdout, stderr } = await startCli(args, { cwd }).result;
        expect(code, stderr + stdout).toBe(0);
        const results = JSON.stringify([...readResults(join(cwd, 'queue-demo')).values()]);
        expect(results.split('"verdict":"Accepted","started_at"')).toHaveLength(ROWS + 1);
        expect(new Set(stdout.match(/"workerId":"[^"]*-\d+-process/g)).size).toBe(2);
        expect(findSocket(stdout)).toMatch(/^\/.*redis\.sock$/);
        expect(existsSync(findSocket(stdout))).toBe(false);
        expect(await aliveIn(cwd)).toEqual([]);
    },
);

it('--demo takes no other Redis and no other mode', async () => {
    const cwd = tempDir();
    for (const [args, message] of [
        [['--redis', 'redis://127.0.0.1:1'], /--demo brings its own Redis/],
        [['--mode', 'thread'], /--demo shows --mode queue/],
    ] as const) {
        const { code, stderr } = await callCli(['run', '--demo', ...args], { cwd });
        expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
});
