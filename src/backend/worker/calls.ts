import type { JsonObject } from '../../model/json.js';
import type { MainProcess } from './serve.js';
import type { CallReply, TaskCall } from './messages.js';

/** The worker's side of calls to the main process: sends them, and resolves each with its answer. */
export class Calls {
    readonly #send: (call: TaskCall) => void;
    readonly #prefix: string;
    readonly #waiting = new Map<string, (reply: CallReply) => void>();
    #sent = 0;

    /** @param prefix distinguishes the calls of this worker from those of others */
    constructor(prefix: string, send: (call: TaskCall) => void) {
        this.#prefix = prefix;
        this.#send = send;
    }

    /** @throws Error with the message of the main process */
    async ask(key: string, request: TaskCall['request']): Promise<JsonObject | null> {
        const call = `${this.#prefix}-${this.#sent++}`;
        const answered = new Promise<CallReply>((resolve) => this.#waiting.set(call, resolve));
        this.#send({ type: 'call', key, call, request });
        const { value, problem } = await answered;
        if (problem !== null) throw new Error(problem);
        return value;
    }

    /** Number of calls sent so far. */
    get sent(): number {
        return this.#sent;
    }

    /** The main process from the point of view of one task. @param key key of the task's job */
    mainFor(key: string): MainProcess {
        return {
            saveStep: async (step) => {
                await this.ask(key, { do: 'save-step', ...step });
            },
            ask: (request) => this.ask(key, { do: 'ask', request }),
        };
    }

    /** Processes an answer; one to another worker's call is ignored. */
    take(reply: CallReply): void {
        const settle = this.#waiting.get(reply.call);
        this.#waiting.delete(reply.call);
        settle?.(reply);
    }
}
