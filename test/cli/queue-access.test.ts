import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killGroup, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const why = NO_REDIS ?? (hasOpenssl ? null : '`openssl` is not installed');
if (why !== null) console.error(`a queue over TLS: skipped, ${why}`);

const OBEY = join(import.meta.dirname, '../rig/tasks/obey.mjs');
const PASSWORD = 'open-sesame';

/** Full access to the keys of the runs and to nothing else; `info` reports how Redis is configured. */
const USERS = `user default off
user fleet on >${PASSWORD} ~resume-run:* &resume-run:* +@all -@dangerous +info
user weak on >${PASSWORD} ~resume-run:* &resume-run:* +@read +@connection +info
`;

const freePort = (): Promise<number> =>
    new Promise((resolve, reject) => {
        const server = createServer();
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
        });
    });

it.skipIf(why !== null)(
    'runs over TLS as a user that may touch the keys of runs alone, and shows its password to nobody',
    { timeout: patience(60_000) },
    async () => {
        const cwd = tempDir();
        const [key, certificate, users] = ['key.pem', 'certificate.pem', 'users'].map((name) =>
            join(cwd, name),
        ) as [string, string, string];
        const made = spawnSync('openssl', [
            ...'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext'.split(' '),
            'subjectAltName=DNS:localhost',
            '-keyout',
            key,
            '-out',
            certificate,
        ]);
        expect(made.status, String(made.stderr)).toBe(0);
        writeFileSync(users, USERS);
        writeFileSync(join(cwd, 'rows.jsonl'), '{"id": "a", "do": "answer", "value": 1}\n');
        const port = await freePort();
        const redis = await new PrivateRedis([
            ...`--bind 127.0.0.1 --tls-port ${port} --tls-auth-clients no --tls-cert-file`.split(' '),
            certificate,
            '--tls-key-file',
            key,
            '--tls-ca-cert-file',
            certificate,
            '--aclfile',
            users,
        ]).start();
        const env = { FLEET_PASSWORD: PASSWORD };
        const at = (host: string): string[] => [
            '--redis',
            `rediss://fleet:{env:FLEET_PASSWORD}@${host}:${port}`,
        ];
        const trusted = [...at('localhost'), '--redis-ca', certificate];
        const worker = startCli(['worker', ...trusted, '--executor', 'module', '--allow', 'exec'], {
            cwd,
            env,
        });
        const run = ['rows.jsonl', '--executor', 'module', '--module', OBEY, '--mode', 'queue', '--json'];
        try {
            const { code, stdout, stderr } = await callCli([...run, ...trusted], { cwd, env });
            expect(code, stderr + stdout).toBe(0);
            const shown = await callCli(['workers', ...trusted], { cwd, env });
            expect(shown.stdout).toContain('module');
            const commandLine = readFileSync(`/proc/${worker.child.pid}/cmdline`, 'utf8');
            expect(stdout + stderr + shown.stdout + commandLine).not.toContain(PASSWORD);

            for (const [args, password, message] of [
                [at('localhost'), PASSWORD, /certificate of Redis at .* cannot be trusted.*--redis-ca/],
                [[...at('127.0.0.1'), '--redis-ca', certificate], PASSWORD, /cannot be trusted/],
                [trusted, 'guessed', /refused the login: WRONGPASS/],
                [[...at('localhost'), '--redis-ca', 'none.pem'], PASSWORD, /--redis-ca .*none\.pem/],
            ] as const) {
                const refused = await callCli(['workers', ...args], {
                    cwd,
                    env: { FLEET_PASSWORD: password },
                });
                expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(message)]);
                expect(refused.stderr).not.toContain(password);
            }
            // A user with insufficient rights gets one line that says so.
            const weak = ['--redis', `rediss://weak:{env:FLEET_PASSWORD}@localhost:${port}`].concat(
                '--redis-ca',
                certificate,
            );
            for (const args of [
                [...run, '--dir', 'weak', ...weak],
                ['workers', ...weak],
            ]) {
                const refused = await callCli(args, { cwd, env });
                expect([refused.code, refused.stderr]).toEqual([
                    2,
                    expect.stringMatching(/lacks permissions on Redis at .*NOPERM/),
                ]);
            }
            const idle = startCli(['worker', ...weak, '--executor', 'module', '--allow', 'exec'], {
                cwd,
                env,
            });
            let told = '';
            idle.child.stderr?.on('data', (text: string) => {
                told += text;
            });
            await expect
                .poll(() => told, { timeout: patience(10_000) })
                .toMatch(/lacks permissions on Redis .*NOPERM/);
            killGroup(idle.child);
            worker.child.kill('SIGTERM');
            const ended = await worker.result;
            expect([ended.code, ended.stderr.includes(PASSWORD)]).toEqual([0, false]);
        } finally {
            killGroup(worker.child);
            await redis.end();
        }
    },
);
