import type { Redis, RedisOptions } from 'ioredis';
import { getMessage } from '../../util/message.js';
import { decodePercent } from '../../util/percent.js';
import { UserError } from '../../util/user-error.js';

/** The address and credentials of Redis. They contain secrets: never show or store them. */
export interface RedisAccess {
    /** `redis://user:password@host:6379/0`, `rediss://` for TLS, or `unix:///path/to/socket`. */
    readonly url: string;
    /** Takes precedence over the password in `url`; null if there is none. */
    readonly password: string | null;
    /** CA certificates (PEM) for `rediss://`; null: those that Node trusts. */
    readonly ca: string | null;
    /** The address without secrets, for messages. */
    readonly shown: string;
}

/** The packages that the queue needs, which are optional dependencies. */
export interface QueuePackages {
    readonly bullmq: typeof import('bullmq');
    readonly ioredis: { readonly Redis: typeof import('ioredis').Redis };
}

/** The versions that are tested. */
const PACKAGES = 'bullmq@6.7.0 ioredis@6.0.0';

/** @throws UserError (exit 2) that says what to install */
export async function loadQueuePackages(): Promise<QueuePackages> {
    try {
        const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
        return { bullmq, ioredis };
    } catch (error) {
        throw new UserError(
            `--mode queue needs BullMQ and ioredis, which are not installed: npm install ${PACKAGES}`,
            2,
            { cause: error, code: 'RESUME_RUN_MISSING_PACKAGE' },
        );
    }
}

/** Milliseconds allowed for the first connection. */
const CONNECT_PATIENCE_MS = 10_000;

/** Maximum milliseconds between two tries to reconnect to Redis. */
const RECONNECT_MS = 1000;

/**
 * Milliseconds without an answer after which a connection is replaced, because it may die silently. Longer than sending the
 * largest file takes.
 */
const SILENT_SOCKET_MS = 60_000;

/** Creates a connection whose commands wait for as long as Redis is gone. Its owner sees errors as events. */
function makeClient({ ioredis }: QueuePackages, access: RedisAccess): Redis {
    const options = {
        maxRetriesPerRequest: null,
        retryStrategy: (times: number) => Math.min(times * 100, RECONNECT_MS),
        lazyConnect: true,
        socketTimeout: SILENT_SOCKET_MS,
        // After a failover, the connection may lead to a replica.
        reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
        ...readAddress(access),
    };
    const client = new ioredis.Redis(options);
    // Without a listener, each failed try would be printed.
    client.on('error', () => {});
    return client;
}

type Address = Pick<RedisOptions, 'path' | 'host' | 'port' | 'username' | 'password' | 'db' | 'tls'>;

/** The address and user in the form of ioredis options. Given a URL, ioredis would ignore our certificates. */
function readAddress({ url, password: separate, ca }: RedisAccess): Address {
    const { protocol, hostname, port, pathname, username, password } = new URL(url);
    if (protocol === 'unix:') {
        const path = decodePercent(pathname);
        return separate === null ? { path } : { path, password: separate };
    }
    const secret = separate ?? decodePercent(password);
    const db = Number(pathname.slice(1));
    return {
        // Remove the brackets around an IPv6 address.
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: port === '' ? 6379 : Number(port),
        ...(username === '' ? {} : { username: decodePercent(username) }),
        ...(secret === '' ? {} : { password: secret }),
        ...(Number.isInteger(db) ? { db } : {}),
        ...(protocol === 'rediss:' ? { tls: ca === null ? {} : { ca } } : {}),
    };
}

/**
 * Connects.
 * @throws UserError exit 5 if Redis does not answer in time, exit 2 if it refuses the user or password
 */
export async function connectRedis(packages: QueuePackages, access: RedisAccess): Promise<Redis> {
    const client = makeClient(packages, access);
    let lastError = 'no answer';
    const refused = new Promise<never>((_, reject) => {
        client.on('error', (error) => {
            lastError = getMessage(error);
            if (isDistrust(error)) {
                reject(
                    new UserError(
                        `the certificate of Redis at ${access.shown} cannot be trusted: ${lastError}; --redis-ca names the file of those that sign it`,
                    ),
                );
            }
            if (isRefusal(lastError)) {
                reject(new UserError(`Redis at ${access.shown} refused the login: ${lastError}`));
            }
        });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
            () => reject(new UserError(`cannot reach Redis at ${access.shown}: ${lastError}`, 5)),
            CONNECT_PATIENCE_MS,
        );
    });
    try {
        client.connect().catch(() => {});
        await Promise.race([client.ping(), refused, late]);
        return client;
    } catch (error) {
        client.disconnect();
        if (error instanceof UserError) throw error;
        const why = getMessage(error);
        throw new UserError(`Redis at ${access.shown} refused the login: ${why}`, 2, { cause: error });
    } finally {
        clearTimeout(timer);
        refused.catch(() => {});
        late.catch(() => {});
    }
}

const isRefusal = (message: string): boolean =>
    /^(?:NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/.test(message);

/** Turns a permission error of Redis into one line that says what this user may not do; returns any other error as it is. */
export function explainRefusal(error: unknown, shown: string): unknown {
    const message = getMessage(error);
    if (!message.startsWith('NOPERM')) return error;
    return new UserError(
        `this user lacks permissions on Redis at ${shown}: ${message}; see the access list in docs/how-to/spread-over-machines.md`,
        2,
        { cause: error },
    );
}

/** Whether TLS failed because of the server's certificate. */
const isDistrust = (error: Error): boolean =>
    'code' in error &&
    typeof error.code === 'string' &&
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS_CERT/.test(error.code);

/** Settings of Redis that matter to a queue. */
export interface RedisSettings {
    /** Maximum memory in bytes; 0: unlimited. Null if unknown. */
    readonly maxMemory: number | null;
    readonly policy: string | null;
    /** Whether it keeps an append-only file; null if unknown. */
    readonly appendOnly: boolean | null;
}

/** Reads the settings of Redis; those that an access list does not let us read stay null. */
export async function readRedisSettings(client: Redis): Promise<RedisSettings> {
    const info = await client.info().catch(() => '');
    const find = (name: string): string | null =>
        new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
    const maxMemory = find('maxmemory');
    const aof = find('aof_enabled');
    return {
        maxMemory: maxMemory === null ? null : Number(maxMemory),
        policy: find('maxmemory_policy'),
        appendOnly: aof === null ? null : aof === '1',
    };
}

/**
 * Checks that Redis keeps the data it is given.
 * @returns lines to show
 * @throws UserError (exit 2) if it evicts keys when it is full
 */
export function checkSettings(
    { maxMemory, policy, appendOnly }: RedisSettings,
    shown: string,
): readonly string[] {
    const notes: string[] = [];
    if (policy === null) {
        notes.push(
            `Redis at ${shown} does not say what it does when it is full: make sure that its maxmemory-policy is noeviction`,
        );
    } else if (policy !== 'noeviction' && maxMemory !== 0) {
        throw new UserError(
            `Redis at ${shown} throws away tasks and results when it is full (maxmemory-policy ${policy}): set it to noeviction, with CONFIG SET maxmemory-policy noeviction and in its configuration`,
        );
    }
    if (appendOnly === false) {
        notes.push(
            `Redis at ${shown} keeps no append-only file: should it restart, tasks that are in the queue or at work run again. Nothing committed is lost`,
        );
    }
    return notes;
}
