import { dropLongResult } from '../../model/event-size.js';
import type { RunEvent } from '../../model/event.js';
import { escapeJson } from '../../util/printable.js';
import { maskSecrets } from '../../util/secrets.js';
import type { Reporter } from './reporter.js';
import type { Sink } from '../sink.js';

/** Longest result that a line holds, bytes of JSON: it is in the result file, too. */
const RESULT_BOUND = 64 * 1024;

/** `--json`: every event as one line of JSON, and nothing else. */
export class JsonLinesReporter implements Reporter {
    constructor(private readonly sink: Sink) {}

    onEvent(event: RunEvent): void {
        this.sink.write(`${maskSecrets(escapeJson(JSON.stringify(dropLongResult(event, RESULT_BOUND))))}\n`);
    }

    close(): void {
        // Lines are written as they come.
    }
}
