import { type ChatFault, type ChatRequest, LocalChatServer } from '../../../src/demo/chat-server.js';

export { type ChatFault, buildCompletion } from '../../../src/demo/chat-server.js';

/** The bundled chat server under test control: answers with the prompt in capitals and keeps every request it receives. */
export class ChatServer {
    readonly requests: ChatRequest[] = [];
    readonly #seen = new Map<string, number>();
    /** The fault to use for a request; null for a good answer. @param seen how often its prompt has come, starting at 1 */
    fault: (request: ChatRequest, seen: number) => ChatFault | null = () => null;
    /** The text of a good answer. */
    text: (request: ChatRequest) => string = ({ prompt, call }) =>
        call === 'search' ? prompt : prompt.toUpperCase();
    /** Milliseconds before each answer. */
    latency = 0;
    /** The latency of one request, or what its answer waits for. @param seen how often its prompt has come, starting at 1 */
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

    /** How often each prompt has come. */
    counts(): ReadonlyMap<string, number> {
        const counts = new Map<string, number>();
        for (const { prompt } of this.requests) counts.set(prompt, (counts.get(prompt) ?? 0) + 1);
        return counts;
    }
}
