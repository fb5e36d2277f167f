import type { EntryDetail } from '../../model/page-data.js';
import type { LiveState } from '../../model/live-state.js';
import type { DetailAnswer, PageSource } from './detail-source.js';
import { gunzip } from './gzip.js';
import type { RunData } from './run-data.js';

/** Runs served by `resume-run view`. */
export class ServerSource implements PageSource {
    readonly isFile = false;
    /** Position of the run shown, from `?run=1`. */
    readonly run: number;
    runs: readonly string[] = [];

    constructor(query: string) {
        this.run = Number(new URLSearchParams(query).get('run') ?? 0);
    }

    async readRuns(): Promise<void> {
        this.runs = (await (await get('api/runs')).json()) as string[];
    }

    async readPage(run = this.run): Promise<Uint8Array> {
        const response = await get(`api/runs/${run}/page`);
        return gunzip(new Uint8Array(await response.arrayBuffer()));
    }

    async detail(data: RunData, entry: number): Promise<DetailAnswer> {
        const query = new URLSearchParams({
            sample: data.getSample(entry),
            group: data.getGroup(entry),
            index: String(data.value('index', entry)),
        });
        const response = await get(`api/runs/${this.run}/task?${query}`);
        const detail = (await response.json()) as EntryDetail | null;
        return detail === null ? { kind: 'none' } : { kind: 'detail', detail };
    }

    /**
     * Follows the live states that runs report.
     * @param onLost called with whether the connection is lost
     * @returns a function that stops following
     */
    follow(onLive: (states: readonly LiveState[]) => void, onLost: (isLost: boolean) => void): () => void {
        const events = new EventSource('api/events');
        events.addEventListener('open', () => onLost(false));
        events.addEventListener('error', () => onLost(true));
        events.addEventListener('message', (event: MessageEvent<string>) => {
            const { run, live } = JSON.parse(event.data) as {
                readonly run: number;
                readonly live: LiveState[];
            };
            if (run === this.run) onLive(live);
        });
        return () => events.close();
    }
}

async function get(path: string): Promise<Response> {
    const response = await fetch(path);
    if (!response.ok) throw new Error(await response.text());
    return response;
}
