import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, tempDir } from '../rig/cli.js';

/** Prints partial lines; tasks 3 and 5 cause an unhandled error, 5 after its neighbours have begun. */
const MODULE = `
export default function ({ index }) {
    process.stdout.write('glue ');
    if (index === 3) void Promise.reject(new Error('of 3'));
    if (index !== 5) return { ok: true };
    setTimeout(() => { throw new Error('of 5'); }, 5);
    return new Promise((resolve) => setTimeout(() => resolve({ ok: true }), 500));
}
`;

test.each(['thread', 'process', 'async'])(
    'what a module prints and leaves unhandled stays its own, in mode %s',
    async (mode) => {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'm.mjs'), MODULE);
        writeFileSync(join(cwd, 'list.jsonl'), Array.from({ length: 12 }, (_, n) => `{"n":${n}}\n`).join(''));
        const start = ['list.jsonl', '--executor', 'module', '--module', './m.mjs', '--retries', '0'];
        const result = await runCli([...start, '--mode', mode, '-j', '2', '--json'], {
            cwd,
        });
        expect(result.code, result.stderr).toBe(1);
        const events = result.stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line));
        const failed = events.filter(({ type }) => type === 'task-failed');
        expect(failed.map(({ index, failure }) => [index, failure]).sort(([a], [b]) => a - b)).toEqual(
            [3, 5].map((index) => [
                index,
                { reason: 'task-threw', message: `unhandled error in the task: of ${index}` },
            ]),
        );
        expect(events.filter(({ type }) => type === 'task-finished')).toHaveLength(10);
        expect(result.stderr).toMatch(/^(glue )+$/);
    },
);
