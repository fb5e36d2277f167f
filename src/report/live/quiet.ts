import type { RunEvent } from '../../model/event.js';
import { escapeLine } from '../../util/printable.js';
import { renderNotice } from './notice.js';
import type { Reporter } from './reporter.js';
import { type Sink, writeLines } from '../sink.js';
import type { Style } from '../style.js';

/** Between two lines that tell of pauses: a service may ask for one every second. */
const PAUSES_MS = 60_000;

/** `--quiet`: prints only warnings, and what needs attention. */
export class QuietReporter implements Reporter {
    private pauseToldAt = Number.NEGATIVE_INFINITY;

    constructor(
        private readonly sink: Sink,
        private readonly style: Style,
    ) {}

    onEvent(event: RunEvent): void {
        if (event.type === 'notice' && event.level === 'warning') {
            writeLines(this.sink, renderNotice(event, this.style));
        } else if (event.type === 'paused' && Date.now() - this.pauseToldAt >= PAUSES_MS) {
            this.pauseToldAt = Date.now();
            writeLines(this.sink, `${this.style.yellow('paused:')} ${escapeLine(event.message)}`);
        }
    }

    close(): void {
        // Nothing to close.
    }
}
