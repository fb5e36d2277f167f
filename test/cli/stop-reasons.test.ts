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

/** A server that answers every request with one status. @returns its address */
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
    expect(refusing.stdout).toContain('Reason: no endpoint takes our requests: ');
});
