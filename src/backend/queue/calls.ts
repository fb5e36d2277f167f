import type { Redis } from 'ioredis';
import type { JsonObject } from '../../model/json.js';
import type { TaskLog } from '../../model/task.js';
import type { TaskHost } from '../backend.js';
import { serveCall } from '../serve-call.js';
import type { CallReply } from '../worker/messages.js';
import type { RunKeys } from './keys.js';
import { parseWorkerCall, type WorkerCall } from './messages.js';

type CallRequest = Extract<WorkerCall, { readonly type: 'call' }>;

/** Requests of a running task. */
type TaskRequest = Exclude<CallRequest['request'], { readonly do: 'send-file' }>;

/** Serves the calls of tasks. */
export interface CallServer {
    /** The host of a task; `later` if this coordinator has not started it yet; null if it has ended. */
    hostOf(task: string): TaskHost | 'later' | null;
    /** The host of a task that ended recently; undefined if it is no longer remembered. */
    formerHostOf(task: string): TaskHost | undefined;
    /** Whether a call comes from the worker that currently has the task. @throws errors of Redis */
    isHolder(task: string, token: string): Promise<boolean>;
    onLog(line: TaskLog): void;
    /** Puts a file of a sample where workers find it. @throws Error if no open sample needs it */
    sendFile(sha256: string): Promise<void>;
}

/** Seconds that an answer is kept for a worker that may be gone. */
const REPLY_TTL_S = 600;

/** Seconds that one blocking wait for calls lasts. */
const POLL_S = 1;

/** Maximum number of calls parked until their task is started. */
const PARKED_BOUND = 10_000;

/** The coordinator's side of the calls of running tasks: pops them from a list one by one and answers each. */
export class CallDesk {
    /** Calls by task, for tasks that have not been started yet. */
    readonly #parked = new Map<string, CallRequest[]>();
    #parkedCount = 0;
    /** Calls being served or parked: workers resend calls that take long. */
    readonly #serving = new Set<string>();
    #isClosed = false;

    constructor(
        private readonly client: Redis,
        /** A separate connection, because it blocks while it waits. */
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
                // The connection is being restored, or closed.
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
            // Redis is gone; the worker will resend the call.
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
            // The worker will resend the call, so it must not count as served until then.
            this.#serving.delete(message.call);
            return;
        }
        this.#parkedCount += 1;
        this.#parked.set(message.task, [...(this.#parked.get(message.task) ?? []), message]);
    }

    /** A task has been started: serves its parked calls. */
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
