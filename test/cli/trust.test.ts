import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const SECRET = 'abcdef-s3cret-0123';

/** Fails and prints its arguments to stderr, so that a failure's message would show them. */
const FAILING = ['sh', '-c', 'echo "$0 $1" >&2; exit 3', '{env:CALL_TOKEN}', '{id}'] as const;

it('keeps references as text, run.json to its owner, and secrets out of what it prints', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'rows.jsonl'), `${JSON.stringify({ id: 'a', groups: { it: [1] } })}\n`);
    const start = (env: NodeJS.ProcessEnv, ...args: string[]) =>
        callCli(['--dir', 'out', '--retries', '0', ...args], { cwd, env });
    const unset = await start({}, 'rows.jsonl', '--executor', 'exec', '--', ...FAILING);
    expect([unset.code, unset.stderr]).toEqual([
        2,
        expect.stringContaining('{env:CALL_TOKEN} needs the env'),
    ]);

    const env = { CALL_TOKEN: SECRET };
    const log = ['--log-file', 'log.jsonl', '--debug'];
    const first = await start(env, 'rows.jsonl', ...log, '--executor', 'exec', '--', ...FAILING);
    expect(first.code).toBe(1);
    const json = await start(env, '--json');
    const file = join(cwd, 'checkpoints/out/run.json');
    const texts = [first.stdout, first.stderr, json.stdout, json.stderr];
    for (const name of ['log.jsonl', 'checkpoints/out/run.json'])
        texts.push(readFileSync(join(cwd, name), 'utf8'));
    for (const text of texts) expect(text).not.toContain(SECRET);
    expect(readFileSync(join(cwd, 'out/a.json'), 'utf8')).toContain('exited with 3: {env:CALL_TOKEN} a');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    // One line shows what a start without arguments takes from run.json.
    expect(json.stdout).toMatch(/runs programs named in .*run\.json: the command sh -c /);
    chmodSync(file, 0o646);
    const distrusted = await start(env);
    expect([distrusted.code, distrusted.stderr]).toEqual([
        2,
        expect.stringContaining('may be written by every user'),
    ]);
    expect(distrusted.stderr).toContain('Pass --trust to allow that');
    expect((await start(env, '--executor', 'exec', '--', 'true')).code).toBe(0);
    chmodSync(file, 0o646);
    expect((await start(env, '--trust')).code).toBe(0);
    // A file that was accessible to others is made private.
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '{"version": 1');
    const status = await callCli(['status', '--dir', 'out'], { cwd });
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('1 of 1 task finished')]);
    expect(status.stderr).toContain('run.json is damaged');
});

it('asks no server and sends no key that a run.json of others names', async () => {
    const server = new ChatServer();
    await server.start();
    try {
        const cwd = tempDir();
        writeFileSync(join(cwd, 'q.jsonl'), '{"prompt": "one"}\n{"prompt": "two"}\n');
        const env = { LAB_KEY: SECRET };
        const start = (...args: string[]) =>
            callCli(['--dir', 'out', '--retries', '0', ...args], { cwd, env });
        const ask = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url];
        const limits = ['--api-key-env', 'LAB_KEY', '--requests-per-minute', '1000'];
        expect((await start(...ask, ...limits, '--stop-after', '1')).code).toBe(1);
        const file = join(cwd, 'checkpoints/out/run.json');
        expect(readFileSync(file, 'utf8')).not.toContain(SECRET);
        chmodSync(file, 0o646);
        const asked = server.requests.length;
        const refused = await start();
        expect([refused.code, refused.stderr]).toEqual([
            2,
            expect.stringMatching(
                /would use the servers and keys that it names: http.*, the key in LAB_KEY\. /,
            ),
        ]);
        expect(server.requests).toHaveLength(asked);
        // What a start without arguments remembers of the service, once it is trusted.
        expect((await start('--trust')).code).toBe(0);
        expect(server.requests).toHaveLength(2);
        expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
            `Bearer ${SECRET}`,
            `Bearer ${SECRET}`,
        ]);
        const known = JSON.parse(readFileSync(file, 'utf8')) as { options: Record<string, unknown> };
        expect(known.options).toMatchObject({ 'api-key-env': 'LAB_KEY', 'requests-per-minute': 1000 });
    } finally {
        await server.stop();
    }
});

it('gives a command no id for an option, and none that is not an argument', async () => {
    const cwd = tempDir();
    const ids = ['-rf', 'nul\0', 'plain'];
    const rows = ids.map((id) => `${JSON.stringify({ id, groups: { it: [1] } })}\n`);
    writeFileSync(join(cwd, 'rows.jsonl'), rows.join(''));
    const args = ['rows.jsonl', '--dir', 'out', '--retries', '0', '--executor', 'exec', '--'];
    const { code, stdout } = await callCli([...args, 'echo', '{id}', '--{group}'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain('{id} is "-rf", which the command would take for an option: put -- before {id}');
    expect(stdout).toContain('{id} holds a NUL character for this task, which no argument can hold');
    expect(stdout).toContain('1 task saved');
    const guarded = await callCli([...args, 'test', '-n', 'x', '-a', '--', '{id}', '-a', '--id={id}'], {
        cwd,
    });
    expect(guarded.stdout).not.toContain('would take for an option');
});
