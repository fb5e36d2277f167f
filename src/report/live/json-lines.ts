import { dropLongResult } from '../../model/event-size.js';
import type { RunEvent } from '../../model/event.js';
import { escapeJson } from '../../util/printable.js';
import { maskSecrets } from '../../util/secrets.js';
import type { Reporter } from './reporter.js';
import type { Sink } from '../sink.js';

/** Longest result in a line, in bytes of JSON; the result file has it too. */
const RESULT_BOUND = 64 * 1024;

/** `--json`: prints every event as one line of JSON, and nothing else. */
export class JsonLinesReporter implements Reporter {
    constructor(private readonly sink: Sink) {}

    onEvent(event: RunEvent): void {
        this.sink.write(`${maskSecrets(escapeJson(JSON.stringify(dropLongResult(event, RESULT_BOUND))))}\n`);
    }

    close(): void {
        // Nothing to close: lines are written as they come.
    }
}
