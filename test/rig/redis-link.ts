import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { RedisAccess } from '../../src/backend/queue/redis.js';

/** A link to a Redis that can silently go dead, be cut, and be redirected to another Redis. */
export class RedisLink {
    readonly #pairs = new Set<readonly [Socket, Socket]>();
    readonly #server = createServer((client) => this.#connect(client));
    readonly #path: string;
    #isDead = false;

    /**
     * @param folder for its socket
     * @param target socket of the Redis
     */
    constructor(
        folder: string,
        private target: string,
    ) {
        this.#path = join(folder, 'link');
    }

    get access(): RedisAccess {
        return { url: `unix://${this.#path}`, password: null, ca: null, shown: 'the link' };
    }

    async open(): Promise<this> {
        await new Promise<void>((resolve) => this.#server.listen(this.#path, resolve));
        return this;
    }

    #connect(client: Socket): void {
        const server = createConnection(this.target);
        const pair = [client, server] as const;
        this.#pairs.add(pair);
        const end = (): void => {
            this.#pairs.delete(pair);
            client.destroy();
            server.destroy();
        };
        for (const [from, to] of [pair, [server, client] as const]) {
            from.on('error', end).on('close', end);
            from.on('data', (data) => {
                if (!to.destroyed) to.write(data);
            });
            if (this.#isDead) from.pause();
        }
    }

    /** From now on nothing gets through in either direction, not even on new connections, and neither side is told. */
    goDead(): void {
        this.#isDead = true;
        for (const pair of this.#pairs) for (const socket of pair) socket.pause();
    }

    /** Delivers what was held up, in order. */
    revive(): void {
        this.#isDead = false;
        for (const pair of this.#pairs) for (const socket of pair) socket.resume();
    }

    /** Closes every connection; new ones work normally. */
    cut(): void {
        this.#isDead = false;
        for (const [client, server] of this.#pairs) {
            client.destroy();
            server.destroy();
        }
    }

    /** New connections go to another Redis. */
    redirect(target: string): void {
        this.target = target;
    }

    async close(): Promise<void> {
        this.cut();
        await new Promise((resolve) => this.#server.close(resolve));
    }
}
