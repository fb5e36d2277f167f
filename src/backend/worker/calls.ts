import type { JsonObject } from '../../model/json.js';
import type { MainProcess } from './serve.js';
import type { CallReply, TaskCall } from './messages.js';

/** The worker's side of calls to the main process: sends them, and gives each its answer. */
export class Calls {
    readonly #send: (call: TaskCall) => void;
    readonly #prefix: string;
    readonly #waiting = new Map<string, (reply: CallReply) => void>();
    #sent = 0;

    /** @param prefix tells the calls of this worker from those of others */
    constructor(prefix: string, send: (call: TaskCall) => void) {
        this.#prefix = prefix;
        this.#send = send;
    }

    /** @throws Error with what the main process says */
    async ask(key: string, request: TaskCall['request']): Promise<JsonObject | null> {
        const call = `${this.#prefix}-${this.#sent++}`;
        const answered = new Promise<CallReply>((resolve) => this.#waiting.set(call, resolve));
        this.#send({ type: 'call', key, call, request });
        const { value, problem } = await answered;
        if (problem !== null) throw new Error(problem);
        return value;
    }

    /** How many were sent so far. */
    get sent(): number {
        return this.#sent;
    }

    /** The main process as one task sees it. @param key of the task's job */
    mainFor(key: string): MainProcess {
        return {
            saveStep: async (step) => {
                await this.ask(key, { do: 'save-step', ...step });
            },
            ask: (request) => this.ask(key, { do: 'ask', request }),
        };
    }

    /** Takes an answer in; one to another worker's call is left alone. */
    take(reply: CallReply): void {
        const settle = this.#waiting.get(reply.call);
        this.#waiting.delete(reply.call);
        settle?.(reply);
    }
}
