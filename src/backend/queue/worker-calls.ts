import type { Redis } from 'ioredis';
import type { JsonObject } from '../../model/json.js';
import type { TaskLog } from '../../model/task.js';
import type { RunKeys } from './keys.js';
import { parseReply, type WorkerCall } from './messages.js';

type Request = Extract<WorkerCall, { readonly type: 'call' }>['request'];

/** Seconds that one blocking wait for answers lasts. */
const POLL_S = 1;

/** Milliseconds after which an unanswered call is resent; a coordinator that is still serving it ignores that. */
const RESEND_MS = 30_000;

/** Maximum number of log lines that wait for a coordinator. */
const LOG_BOUND = 10_000;

/** The worker's side of requests that tasks make to their coordinator. A call waits for as long as the coordinator is away. */
export class WorkerCalls {
    readonly #waiting = new Map<
        string,
        {
            readonly resolve: (value: JsonObject | null) => void;
            readonly reject: (error: Error) => void;
            readonly send: () => void;
        }
    >();
    #next = 0;
    #isClosed = false;

    constructor(
        private readonly client: Redis,
        /** A separate connection, because it blocks while it waits. */
        private readonly blocked: Redis,
        private readonly keys: RunKeys,
        private readonly worker: string,
    ) {
        void this.#run();
    }

    async #run(): Promise<void> {
        while (!this.#isClosed) {
            try {
                const popped = await this.blocked.blpop(this.keys.replies(this.worker), POLL_S);
                if (popped !== null) this.#take(popped[1]);
            } catch {
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }

    #take(text: string): void {
        const reply = parseReply(text);
        if (reply === null) return;
        const waiting = this.#waiting.get(reply.call);
        this.#waiting.delete(reply.call);
        if (reply.problem === null) waiting?.resolve(reply.value);
        else waiting?.reject(new Error(reply.problem));
    }

    /**
     * @param token token of the lock that this worker has on the task's job
     * @throws Error with the coordinator's message
     */
    async ask(task: string, token: string, request: Request): Promise<JsonObject | null> {
        const call = `${this.worker}-${this.#next++}`;
        const { worker } = this;
        const message: WorkerCall = { type: 'call', worker, task, token, call, request };
        const send = (): void =>
            void this.client.rpush(this.keys.calls, JSON.stringify(message)).catch(() => {});
        const answered = new Promise<JsonObject | null>((resolve, reject) => {
            this.#waiting.set(call, { resolve, reject, send });
        });
        answered.catch(() => {});
        send();
        // A coordinator may be killed after taking a call, so the next one must get it again.
        const again = setInterval(send, RESEND_MS);
        return answered.finally(() => clearInterval(again));
    }

    /** Another start of the run serves now: resends calls that the previous one has not answered. */
    askAgain(): void {
        for (const { send } of this.#waiting.values()) send();
    }

    /** Lines matter less than results: if nobody reads them, old ones are dropped. */
    log(line: TaskLog): void {
        const message = { type: 'log', line };
        this.client
            .multi()
            .rpush(this.keys.logs, JSON.stringify(message))
            .ltrim(this.keys.logs, -LOG_BOUND, -1)
            .exec()
            .catch(() => {});
    }

    close(): void {
        this.#isClosed = true;
        this.blocked.disconnect();
        for (const { reject } of this.#waiting.values()) reject(new Error('the worker is ending'));
        this.#waiting.clear();
    }
}
