import { UserError } from '../util/user-error.js';
import { type ChatFault, type ChatRequest, type ChatReply, LocalChatServer } from './chat-server.js';

/** Endpoints with this host name are served by this process itself, without a key or a network. */
export const DEMO_HOST = 'demo.localhost';

/** The default address. `/latency-<ms>` and `/faults-<per cent>` in the path delay answers or make some of them fail. */
export const DEMO_URL = `http://${DEMO_HOST}/v1`;

export interface DemoSettings {
    /** Approximate milliseconds before an answer. */
    readonly latency: number;
    /** Share of requests that fail, 0 to 1. */
    readonly faults: number;
}

/** Reads the settings in the path of a demonstration endpoint. @throws UserError for an unknown part */
export function readDemoSettings(url: string): DemoSettings {
    let settings: DemoSettings = { latency: 50, faults: 0 };
    for (const part of new URL(url).pathname.split('/').filter((one) => one !== '' && one !== 'v1')) {
        const [, name, number] = /^(latency|faults)-(\d{1,5})$/.exec(part) ?? [];
        if (name === 'latency') settings = { ...settings, latency: Number(number) };
        else if (name === 'faults' && Number(number) <= 100)
            settings = { ...settings, faults: Number(number) / 100 };
        else
            throw new UserError(
                `${url}: '${part}' means nothing here; expected latency-<milliseconds> or faults-<per cent>, as in http://${DEMO_HOST}/latency-200/faults-10/v1`,
            );
    }
    return settings;
}

/** A server that answers every request. */
export function createDemoServer({ latency, faults }: DemoSettings): LocalChatServer {
    return new LocalChatServer((request): ChatReply => {
        const fault = Math.random() < faults ? anyFault() : null;
        // Vary the latency as real services do.
        return { latency: latency * (0.75 + Math.random() / 2), fault, text: textAbout(request) };
    });
}

const FAULTS: readonly ChatFault[] = [
    {
        kind: 'status',
        status: 429,
        error: { message: 'too many requests', code: 'rate_limit_exceeded' },
        headers: { 'retry-after': '1' },
    },
    { kind: 'status', status: 500, error: { message: 'something broke' } },
    { kind: 'reset', inBody: true },
];

const anyFault = (): ChatFault => FAULTS[Math.floor(Math.random() * FAULTS.length)] ?? { kind: 'silence' };

function textAbout({ call, prompt }: ChatRequest): string {
    if (call === 'search') return prompt;
    // A model that judges answers (--scorer model:<name>) must reply with such a line.
    if (/^SCORE:/m.test(prompt)) return 'The demonstration server likes every answer.\nSCORE: 1';
    const [subject = ''] = prompt.split('\n');
    return `This is what the demonstration server says to "${subject.slice(0, 200)}": no model was asked.`;
}
