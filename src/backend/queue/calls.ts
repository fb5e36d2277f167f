import type { Redis } from 'ioredis';
import type { JsonObject } from '../../model/json.js';
import type { TaskLog } from '../../model/task.js';
import type { TaskHost } from '../backend.js';
import { serveCall } from '../serve-call.js';
import type { CallReply } from '../worker/messages.js';
import type { RunKeys } from './keys.js';
import { parseWorkerCall, type WorkerCall } from './messages.js';

type CallRequest = Extract<WorkerCall, { readonly type: 'call' }>;

/** What a running task asks. */
type TaskRequest = Exclude<CallRequest['request'], { readonly do: 'send-file' }>;

/** What serves calls of tasks. */
export interface CallServer {
    /** Who serves a task; `later`: it has not been started yet by this coordinator; null: it has ended. */
    hostOf(task: string): TaskHost | 'later' | null;
    /** Who served a task that has ended lately; undefined: nobody knows it any more. */
    formerHostOf(task: string): TaskHost | undefined;
    /** Whether a call comes from the worker that has the task now. @throws what Redis says */
    isHolder(task: string, token: string): Promise<boolean>;
    onLog(line: TaskLog): void;
    /** Puts a file of a sample where workers find it. @throws Error if no task in work needs it */
    sendFile(sha256: string): Promise<void>;
}

/** Seconds that an answer waits for a worker that may be gone. */
const REPLY_TTL_S = 600;

/** Seconds that one wait for calls lasts. */
const POLL_S = 1;

/** Calls that may wait for their task to be started. */
const PARKED_BOUND = 10_000;

/** The coordinator's side of what running tasks ask: takes calls from a list, one after the other, and answers each. */
export class CallDesk {
    /** Calls by the task that is still to be started. */
    readonly #parked = new Map<string, CallRequest[]>();
    #parkedCount = 0;
    /** Calls that are served or parked: workers send those that take long again. */
    readonly #serving = new Set<string>();
    #isClosed = false;

    constructor(
        private readonly client: Redis,
        /** A connection of its own: it is blocked while it waits. */
        private readonly waiting: Redis,
        private readonly keys: RunKeys,
        private readonly server: CallServer,
    ) {}

    async run(): Promise<void> {
        while (!this.#isClosed) {
            try {
                const popped = await this.waiting.blpop(this.keys.calls, this.keys.logs, POLL_S);
                if (popped !== null) this.#take(popped[1]);
            } catch {
                // The connection is coming back, or being closed.
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }

    #take(text: string): void {
        const message = parseWorkerCall(text);
        if (message === null) return;
        if (message.type === 'log') {
            this.server.onLog(message.line as object as TaskLog);
            return;
        }
        if (this.#serving.has(message.call)) return;
        this.#serving.add(message.call);
        void this.#serve(message);
    }

    async #serve(message: CallRequest): Promise<void> {
        const { request, call } = message;
        if (request.do === 'send-file') {
            await this.#reply(message, await this.#sendFile(call, request.sha256));
            return;
        }
        const host = this.server.hostOf(message.task);
        if (host === 'later') this.#park(message);
        else await this.#serveTask(message, request, host);
    }

    async #serveTask(message: CallRequest, request: TaskRequest, host: TaskHost | null): Promise<void> {
        const { call, task, token } = message;
        let isHolder = false;
        try {
            isHolder = host !== null && (await this.server.isHolder(task, token));
        } catch {
            // Redis is gone: the worker sends it again.
            this.#serving.delete(call);
            return;
        }
        if (isHolder) {
            await this.#reply(message, await serveCall({ type: 'call', key: task, call, request }, host));
            return;
        }
        const heard = host ?? this.server.formerHostOf(task);
        if (request.do === 'ask') heard?.hearLate?.(request.request);
        const problem = host === null ? 'the task has ended' : 'another worker has the task now';
        await this.#reply(message, { type: 'reply', call, value: null, problem });
    }

    async #sendFile(call: string, sha256: string): Promise<CallReply> {
        const value: JsonObject = {};
        try {
            await this.server.sendFile(sha256);
            return { type: 'reply', call, value, problem: null };
        } catch (error) {
            const problem = error instanceof Error ? error.message : String(error);
            return { type: 'reply', call, value: null, problem };
        }
    }

    #park(message: CallRequest): void {
        if (this.#parkedCount >= PARKED_BOUND) {
            // The worker sends it again: it must not count as served until then.
            this.#serving.delete(message.call);
            return;
        }
        this.#parkedCount += 1;
        this.#parked.set(message.task, [...(this.#parked.get(message.task) ?? []), message]);
    }

    /** A task has been started: serves what it asked before. */
    started(task: string): void {
        const parked = this.#parked.get(task) ?? [];
        this.#parked.delete(task);
        this.#parkedCount -= parked.length;
        for (const message of parked) void this.#serve(message);
    }

    async #reply({ worker }: CallRequest, reply: CallReply): Promise<void> {
        const list = this.keys.replies(worker);
        await this.client
            .multi()
            .rpush(list, JSON.stringify(reply))
            .expire(list, REPLY_TTL_S)
            .exec()
            .catch(() => null);
        this.#serving.delete(reply.call);
    }

    close(): void {
        this.#isClosed = true;
        this.waiting.disconnect();
    }
}
