import { type ChildProcess, spawn } from 'node:child_process';
import { findHelper, type HelperProgram } from './build-helper.js';
import { chooseBoxUser } from './identity.js';
import { SandboxError } from './sandbox-error.js';
import { decodeReply, type Reply } from './wire.js';

/** Receives the helper's replies for one box. */
export interface ReplyHandler {
    reply(reply: Reply): void;
    /** The helper is gone, and every box with it. */
    lost(error: SandboxError): void;
}

/**
 * The long-lived process that starts all programs of a worker. It ends when our end of its stdin closes, however this process
 * ends, and takes every box along.
 */
export class Helper {
    readonly #child: ChildProcess;
    readonly #boxes = new Map<number, ReplyHandler>();
    readonly #ended: Promise<void>;
    /** The place of each open box. */
    readonly #places = new Map<number, number>();
    /** Messages to be sent at the end of this turn of the event loop. */
    #outbox: Buffer[] = [];
    #pending: Buffer[] = [];
    #pendingBytes = 0;
    #errors = '';
    #gone: SandboxError | null = null;

    private constructor(
        readonly program: HelperProgram,
        child: ChildProcess,
        private readonly onLost: () => void,
    ) {
        this.#child = child;
        child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
        child.stderr?.on('data', (chunk: Buffer) => {
            this.#errors = (this.#errors + chunk.toString()).slice(-2000);
        });
        child.stdin?.on('error', () => {});
        this.#ended = new Promise((resolve) => {
            child.once('error', (error) => {
                this.#lose(`the helper could not be started: ${error.message}`);
                resolve();
            });
            child.once('close', (code, signal) => {
                this.#lose(`the helper ended (${signal ?? `exit code ${code}`}) ${this.#errors}`.trim());
                resolve();
            });
        });
    }

    /**
     * @param onLost called once when the helper is gone, for whatever reason
     * @throws SandboxError if there is no helper for this machine
     */
    static async start(onLost: () => void): Promise<Helper> {
        const program = await findHelper();
        const [command, ...args] = program.argv;
        // In its own session, so that Ctrl-C in the terminal reaches neither it nor any program.
        const child = spawn(command, [...args, 'serve'], {
            stdio: ['pipe', 'pipe', 'pipe'],
            cwd: '/',
            detached: true,
            env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
        });
        return new Helper(program, child, onLost);
    }

    get pid(): number {
        return this.#child.pid ?? 0;
    }

    /** Sends a message about a box; if the helper is gone, the handler is notified. */
    send(box: number, message: Buffer, handler: ReplyHandler): void {
        if (this.#gone !== null) {
            handler.lost(this.#gone);
            return;
        }
        this.#boxes.set(box, handler);
        // All messages of one turn of the event loop are sent in one write, which wakes the helper once.
        if (this.#outbox.push(message) === 1) setImmediate(() => this.#flush());
    }

    #flush(): void {
        const [first, ...others] = this.#outbox;
        this.#outbox = [];
        if (first === undefined) return;
        this.#child.stdin?.write(others.length === 0 ? first : Buffer.concat([first, ...others]));
    }

    /** The smallest number that no other open box has, reserved until the box is forgotten. */
    placeFor(box: number): number {
        const taken = new Set(this.#places.values());
        let place = 0;
        while (taken.has(place)) place++;
        this.#places.set(box, place);
        return place;
    }

    /**
     * The user that runs the programs of the box at a place. When a box ends, all processes of its user are killed, which must not
     * include those of a neighbouring box. 0: our own user.
     */
    getUser(place: number): number {
        return chooseBoxUser(this.pid, place);
    }

    forget(box: number): void {
        this.#boxes.delete(box);
        this.#places.delete(box);
    }

    /** Ends it and all its boxes; resolves when it is gone. */
    async close(): Promise<void> {
        this.#flush();
        this.#child.stdin?.end();
        const patience = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
        await this.#ended;
        clearTimeout(patience);
    }

    #lose(message: string): void {
        if (this.#gone !== null) return;
        this.#gone = new SandboxError(message);
        this.onLost();
        for (const handler of this.#boxes.values()) handler.lost(this.#gone);
        this.#boxes.clear();
    }

    #receive(chunk: Buffer): void {
        this.#pending.push(chunk);
        this.#pendingBytes += chunk.length;
        const first = this.#pending[0] as Buffer;
        if (first.length >= 4 && this.#pendingBytes < first.readUInt32LE(0) + 4) return;
        let data = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending);
        while (data.length >= 4) {
            const size = data.readUInt32LE(0);
            if (data.length < size + 4) break;
            this.#dispatch(data.subarray(4, size + 4));
            data = data.subarray(size + 4);
        }
        this.#pending = data.length > 0 ? [data] : [];
        this.#pendingBytes = data.length;
    }

    #dispatch(message: Buffer): void {
        const reply = decodeReply(message);
        this.#boxes.get(reply.box)?.reply(reply);
    }
}
