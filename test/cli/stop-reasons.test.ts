import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const ROW = {
    id: 'a',
    tests: [{ input: '1\n', output: '1\n' }],
    solutions: [{ language: 'PYTHON3', source: 'print(1)' }],
};

/**
 * A server that answers every request with one status.
 * @returns its address
 */
async function serverThatSays(status: number): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(status).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
        server.closeAllConnections();
        server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a run that no endpoint serves ends with exit 5, and says why in the events and in the summary', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'p.jsonl'), `${JSON.stringify(ROW)}\n`);
    const start = ['p.jsonl', '--executor', 'go-judge', '--endpoint-wait', '1', '--endpoint'];

    const gone = await callCli([...start, 'http://127.0.0.1:9', '--json'], { cwd });
    expect(gone.code, gone.stderr).toBe(5);
    expect(JSON.parse(gone.stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
        type: 'run-finished',
        end: {
            outcome: 'stopped',
            signal: 'abort',
            stop: { reason: 'endpoints', message: 'no endpoint came back within 1 s (--endpoint-wait)' },
        },
    });

    const refusing = await callCli([...start, await serverThatSays(401), '--dir', 'other'], { cwd });
    expect(refusing.code, refusing.stderr).toBe(5);
    expect(refusing.stdout).toContain('Reason: all endpoints refuse our requests: ');
});

test('a run stops when too many tasks have failed, and the same command goes on', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'list.txt'), Array.from({ length: 40 }, (_, n) => `${n}\n`).join(''));
    const failing = [
        'list.txt',
        '--executor',
        'exec',
        '--retries',
        '0',
        '-j',
        '1',
        '--',
        'sh',
        '-c',
        'test -e mended',
    ];
    const stopped = await callCli(['--halt', '3', '--json', ...failing], { cwd });
    expect(stopped.code, stopped.stderr).toBe(1);
    const { end } = JSON.parse(stopped.stdout.trimEnd().split('\n').at(-1) ?? '') as {
        end: { failed: number; stop: object };
    };
    expect(end).toMatchObject({
        outcome: 'stopped',
        stop: { reason: 'halt', message: expect.stringMatching(/^\d of \d tasks failed \(--halt 3\)$/) },
    });
    // Tasks that were running when the third one failed may fail too.
    expect(end.failed).toBeGreaterThanOrEqual(3);
    expect(end.failed).toBeLessThan(40);
    const share = await callCli(['--halt', '50%', ...failing], { cwd });
    expect(share.code).toBe(1);
    expect(share.stdout).toMatch(/\(--halt 50%\)/);
    writeFileSync(join(cwd, 'mended'), '');
    const done = await callCli(['--halt', '50%', ...failing], { cwd });
    expect(done.code, done.stderr).toBe(0);
    expect((await callCli(['--halt', '0', ...failing], { cwd })).stderr).toMatch(
        /--halt: expected a number of failed tasks, such as 10, or a share of 1% to 100%, got '?0/,
    );
});
