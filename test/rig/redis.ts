import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisAccess } from '../../src/backend/queue/redis.js';
import { patience } from './slowness.js';

/** Why tests over a real Redis are skipped; null if they run. */
export const NO_REDIS =
    spawnSync('redis-server', ['--version']).status === 0 ? null : '`redis-server` is not installed';

/** A Redis for one test, on a socket in a folder of its own. */
export class PrivateRedis {
    readonly folder = mkdtempSync(join(tmpdir(), 'redis-'));
    readonly socket = join(this.folder, 's');
    readonly access: RedisAccess = {
        url: `unix://${this.socket}`,
        password: null,
        ca: null,
        shown: 'the private socket',
    };
    #server: ChildProcess | null = null;
    /** A test that times out never reaches its end. */
    readonly #onExit = (): void => void this.#server?.kill('SIGKILL');

    /** @param through a command that starts it (`nsenter ...`) */
    constructor(
        private readonly options: readonly string[] = [],
        private readonly through: readonly string[] = [],
    ) {}

    get url(): string {
        return this.access.url;
    }

    async start(): Promise<this> {
        const [file, ...before] = [...this.through, 'redis-server'];
        const server = spawn(
            file,
            [
                ...before,
                '--port',
                '0',
                '--unixsocket',
                this.socket,
                '--dir',
                this.folder,
                '--save',
                '',
                ...this.options,
            ],
            { stdio: 'ignore' },
        );
        this.#server = server;
        process.once('exit', this.#onExit);
        const deadline = Date.now() + patience(5000);
        while (!existsSync(this.socket) && server.exitCode === null && Date.now() < deadline) await wait(10);
        if (!existsSync(this.socket)) throw new Error('redis-server did not start');
        return this;
    }

    /** All keys in it. */
    async keys(): Promise<string[]> {
        const client = new Redis(this.socket);
        try {
            return await client.keys('*');
        } finally {
            client.disconnect();
        }
    }

    /** Deletes everything, like a Redis that has lost its disk. */
    async flush(): Promise<void> {
        const client = new Redis(this.socket);
        try {
            await client.flushall();
        } finally {
            client.disconnect();
        }
    }

    /** SIGKILL: whatever it had not written to disk is lost. */
    async kill(): Promise<void> {
        const server = this.#server;
        this.#server = null;
        process.off('exit', this.#onExit);
        if (server === null) return;
        const ended = new Promise((resolve) => server.once('exit', resolve));
        server.kill('SIGKILL');
        await ended;
        rmSync(this.socket, { force: true });
    }

    async end(): Promise<void> {
        await this.kill();
        rmSync(this.folder, { recursive: true, force: true });
    }
}
