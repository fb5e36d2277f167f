import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

interface ResultFile {
    readonly iteration_result: readonly {
        readonly index: number;
        readonly fingerprint: string;
        readonly result: {
            readonly tests: readonly { readonly exec_info: ExecInfo }[];
            readonly text?: string;
        };
    }[];
}
interface ExecInfo {
    readonly run_result: { readonly stdout: string };
}

const TASKS = ['{"seed":9007199254740993}', '{"seed":9007199254740992}', '{"f":1.0,"e":[1e400,-0]}'];

describe('numbers that a double cannot hold', () => {
    let cwd = '';
    const write = (tasks: readonly string[]): void =>
        writeFileSync(join(cwd, 'rows.jsonl'), `{"id":"n","groups":{"iteration":[${tasks.join(',')}]}}\n`);
    const start = (...args: string[]) =>
        callCli(['rows.jsonl', '--dir', 'res', '-q', '--keep-output', 'all', ...args], { cwd });
    const entries = () =>
        (JSON.parse(readFileSync(join(cwd, 'res/n.json'), 'utf8')) as ResultFile).iteration_result;
    const outputs = () => entries().map((one) => one.result.tests[0]?.exec_info.run_result.stdout);

    beforeEach(() => {
        cwd = tempDir();
        write(TASKS);
    });

    it('reach a command on stdin and in its {input} file, digit by digit', async () => {
        expect((await start('--executor', 'exec', '--', 'cat')).code).toBe(0);
        expect(outputs()).toEqual(TASKS);
        expect(new Set(entries().map((one) => one.fingerprint)).size).toBe(3);
        expect((await start('--rerun', 'changed', '--executor', 'exec', '--', 'cat', '{input}')).code).toBe(
            0,
        );
        expect(outputs()).toEqual(TASKS);
    });

    it('reach a module as inputText, in threads and in processes', async () => {
        writeFileSync(
            join(cwd, 'task.mjs'),
            'export default ({ input, inputText }) => ({ text: inputText, same: typeof input });\n',
        );
        for (const mode of ['thread', 'process']) {
            const run = await start(
                '--mode',
                mode,
                '--rerun',
                'all',
                '--executor',
                'module',
                '--module',
                './task.mjs',
            );
            expect(run.code).toBe(0);
            expect(entries().map((one) => one.result.text)).toEqual(TASKS);
        }
    });

    it('make their task run again when they are edited', async () => {
        const command = ['--executor', 'exec', '--', 'cat'];
        await start(...command);
        write([TASKS[0]?.replace('993', '995') ?? '', ...TASKS.slice(1)]);
        const planned = await start('--dry-run', ...command);
        expect(planned.stdout).toContain('1  input changed');
        await start(...command);
        expect(outputs()[0]).toBe('{"seed":9007199254740995}');
    });

    it('make an entry of 0.1 run again, since it was made from the rounded number', async () => {
        const command = ['--executor', 'exec', '--', 'cat'];
        await start(...command);
        // What 0.1 wrote: the second task's fingerprint for the first task too.
        const path = join(cwd, 'res/n.json');
        const [first, second] = entries().map((one) => one.fingerprint);
        writeFileSync(path, readFileSync(path, 'utf8').replace(first ?? '', second ?? ''));
        const planned = await start('--dry-run', ...command);
        expect(planned.stdout).toContain('1  input was rounded');
        expect((await start(...command)).code).toBe(0);
        expect(entries().map((one) => one.fingerprint)).toContain(first);
        expect(readFileSync(join(cwd, 'checkpoints/res/superseded.jsonl'), 'utf8')).toContain('rounded');
        expect((await start('--dry-run', ...command)).stdout).toContain('0 of 3 tasks would run');
    });
});
