import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { JsonObject } from '../../src/model/json.js';
import { type Cli, type CliOptions, killGroup, startCli, tempDir } from './cli.js';
import { LONG } from './long.js';
import { PrivateRedis } from './redis.js';
import { patience } from './slowness.js';

const OBEY = join(import.meta.dirname, 'tasks/obey.mjs');
const QUEUE_WORKER = join(import.meta.dirname, 'queue-worker.mjs');

/** A coordinator, its workers and their Redis, each in a process of its own. Each row leaves a mark when it runs. */
export class QueueScene {
    readonly cwd = tempDir();
    readonly redis: PrivateRedis;
    readonly #started: Cli[] = [];

    /**
     * @param rows instructions for tasks/obey.mjs
     * @param through a command that starts Redis
     */
    constructor(
        private readonly rows: readonly JsonObject[],
        redisOptions: readonly string[] = [],
        through: readonly string[] = [],
    ) {
        const kept = ['--appendonly', 'yes', '--appendfsync', 'always'];
        this.redis = new PrivateRedis([...kept, ...redisOptions], through);
    }

    async open(): Promise<this> {
        await this.redis.start();
        const lines = this.rows.map((row, id) =>
            JSON.stringify({ id: `r${id}`, mark: join(this.cwd, `mark-${id}`), ...row }),
        );
        writeFileSync(join(this.cwd, 'rows.jsonl'), lines.join('\n'));
        return this;
    }

    get env(): NodeJS.ProcessEnv {
        return { REDIS_URL: this.redis.url };
    }

    start(args: readonly string[], options: Partial<CliOptions> = {}): Cli {
        const cli = startCli(args, { cwd: this.cwd, env: this.env, ...options });
        this.#started.push(cli);
        return cli;
    }

    /** In the short form, workers are considered lost after 5 s instead of 14 s. */
    worker(): Cli {
        if (LONG) return this.start(['worker', '-j', '2', '--executor', 'module', '--allow', 'exec']);
        return this.quickWorker();
    }

    /** A worker considered lost after 5 s. @param options where it runs, and the address by which it reaches Redis */
    quickWorker(options: Partial<CliOptions> = {}): Cli {
        return this.start([], { ...options, program: QUEUE_WORKER });
    }

    /** Starts the run, with its events on stdout. */
    coordinator(more: readonly string[] = []): Cli {
        const dataset = ['rows.jsonl', '--rows-per-sample', '1', '--executor', 'module', '--module', OBEY];
        return this.start([...dataset, '--mode', 'queue', '--dir', 'results', '--json', ...more]);
    }

    /** How often each row has run. */
    marks = (): number[] => this.readMarks().map((lines) => lines.length);

    /** For each row, its task once for each time that it was started. */
    readMarks(): string[][] {
        return this.rows.map((_, id) => {
            const path = join(this.cwd, `mark-${id}`);
            return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
        });
    }

    async end(): Promise<void> {
        for (const { child } of this.#started) killGroup(child);
        await Promise.all(this.#started.map(({ result }) => result));
        await this.redis.end();
    }
}

/** Resolves once `isSo` holds, and throws if it takes too long. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = Date.now() + patience(20_000);
    while (!isSo()) {
        if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
        await wait(50);
    }
}
