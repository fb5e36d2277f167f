import type { RunEvent } from '../../model/event.js';
import { maskSecrets } from '../../util/secrets.js';
import type { Reporter } from './reporter.js';
import type { Sink } from '../sink.js';

/** `--json`: every event as one line of JSON, and nothing else. */
export class JsonLinesReporter implements Reporter {
    constructor(private readonly sink: Sink) {}

    onEvent(event: RunEvent): void {
        this.sink.write(`${maskSecrets(JSON.stringify(event))}\n`);
    }

    close(): void {
        // Lines are written as they come.
    }
}
