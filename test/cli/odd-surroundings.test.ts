import { spawnSync } from 'node:child_process';
import { chmodSync, constants, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BIN, readResults, tempDir } from '../rig/cli.js';
import { patience } from '../rig/slowness.js';

const ROW = '{"id": "a", "groups": {"iteration": [1, 2]}}\n';

/** Runs a line of bash in a folder with one dataset; `$RR` starts the binary. */
function bash(cwd: string, line: string, env: NodeJS.ProcessEnv = {}) {
    writeFileSync(join(cwd, 'rows.jsonl'), ROW);
    const { PATH, HOME } = process.env;
    return spawnSync('bash', ['-c', line], {
        cwd,
        encoding: 'utf8',
        timeout: patience(30_000),
        env: { PATH, HOME, RR: `${process.execPath} ${BIN}`, ...env },
    });
}

it('goes on where stdout cannot be written, and says so once', () => {
    const cwd = tempDir();
    const json = bash(cwd, '$RR rows.jsonl --dir res --json --executor exec -- true > /dev/full');
    expect(json).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(/^[^\n]*cannot write to stdout[^\n]*\n$/),
    });
    expect(readResults(join(cwd, 'res')).size).toBe(1);
    const status = bash(cwd, '$RR status --dir res > /dev/full');
    expect(status).toMatchObject({ status: 4, stderr: expect.stringContaining('ENOSPC') });
    expect(bash(cwd, '$RR completion bash > /dev/full').status).toBe(4);
    expect(bash(cwd, '$RR export --dir res > /dev/full')).toMatchObject({
        status: 4,
        stderr: expect.stringMatching(/^[^\n]*cannot write to stdout[^\n]*\n$/),
    });
});

it('takes a dataset from stdin and keeps it for later starts, but none from another pipe', () => {
    const cwd = tempDir();
    const first = bash(cwd, 'cat rows.jsonl | $RR - --dir res -q --executor exec -- true');
    expect(first.status, first.stderr).toBe(0);
    expect(readFileSync(join(cwd, 'checkpoints/res/stdin-dataset'), 'utf8')).toBe(ROW);
    const again = bash(cwd, '$RR --dir res -q');
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/2 of 2/);
    const pipe = bash(cwd, '$RR <(cat rows.jsonl) --dir res2 -q --executor exec -- true');
    expect(pipe).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^[^\n]*a dataset must be a file[^\n]*\n$/),
    });
});

it('says that the current folder is gone', () => {
    const cwd = tempDir();
    mkdirSync(join(cwd, 'gone'));
    const { status, stderr } = bash(cwd, 'cd gone; rmdir ../gone; $RR status');
    expect(stderr).toMatch(/^[^\n]*current folder no longer exists[^\n]*\n$/);
    expect(status).toBe(2);
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.error('a user without a home: skipped, only root can become one');

it.skipIf(!isRoot)('runs for a user without a home or an entry in the list of users', () => {
    const cwd = tempDir();
    chmodSync(cwd, 0o777);
    // Node may be installed where only its owner has access, such as in a private temporary folder.
    const node = join(cwd, 'node');
    copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
    const line =
        'setpriv --reuid 123456 --regid 0 --clear-groups env -i PATH=/usr/bin:/bin RESUME_RUN_HELPER=python';
    const { status, stderr } = bash(
        cwd,
        `${line} ${node} ${BIN} rows.jsonl --dir res -q --executor exec -- true`,
    );
    expect(status, stderr).toBe(0);
});
