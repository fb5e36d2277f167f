import { type ChatFault, type ChatRequest, LocalChatServer } from '../../../src/demo/chat-server.js';

export { type ChatFault, buildCompletion } from '../../../src/demo/chat-server.js';

/** The bundled chat server as tests steer it: answers with the prompt in capitals, and keeps every request it gets. */
export class ChatServer {
    readonly requests: ChatRequest[] = [];
    readonly #seen = new Map<string, number>();
    /** The fault for a request; null: a good answer. @param seen how often its prompt has come, from 1 */
    fault: (request: ChatRequest, seen: number) => ChatFault | null = () => null;
    /** What a good answer says. */
    text: (request: ChatRequest) => string = ({ prompt, call }) =>
        call === 'search' ? prompt : prompt.toUpperCase();
    /** Milliseconds before each answer. */
    latency = 0;
    /** The same of one request, or what its answer waits for. @param seen how often its prompt has come, from 1 */
    latencyOf: (request: ChatRequest, seen: number) => number | Promise<void> = () => this.latency;
    readonly #server = new LocalChatServer((request) => {
        const { prompt } = request;
        if (this.requests.length === 0) this.#seen.clear();
        this.requests.push(request);
        const seen = (this.#seen.get(prompt) ?? 0) + 1;
        this.#seen.set(prompt, seen);
        return {
            latency: this.latencyOf(request, seen),
            fault: this.fault(request, seen),
            text: this.text(request),
        };
    });

    get inFlight(): number {
        return this.#server.inFlight;
    }

    get mostInFlight(): number {
        return this.#server.mostInFlight;
    }

    set mostInFlight(most: number) {
        this.#server.mostInFlight = most;
    }

    get url(): string {
        return this.#server.url;
    }

    start(): Promise<void> {
        return this.#server.start();
    }

    stop(): Promise<void> {
        return this.#server.stop();
    }

    /** How often each prompt came. */
    counts(): ReadonlyMap<string, number> {
        const counts = new Map<string, number>();
        for (const { prompt } of this.requests) counts.set(prompt, (counts.get(prompt) ?? 0) + 1);
        return counts;
    }
}
