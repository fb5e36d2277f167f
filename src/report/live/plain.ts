import type { RunEvent } from '../../model/event.js';
import { makeEmptyView, fold, type RunView } from './fold.js';
import { renderHeartbeat, startLines } from './live.js';
import { measureMachine } from '../machine.js';
import { renderNotice } from './notice.js';
import type { Reporter } from './reporter.js';
import { type Sink, writeLines } from '../sink.js';
import type { Style } from '../style.js';

const FIRST_MS = 5000;
const INTERVAL_MS = 30_000;
/** Between two lines that tell of pauses: a service may ask for one every second. */
const PAUSES_MS = 10_000;

/**
 * For runs without a terminal (nohup, CI, a batch system): a line at the start, a heartbeat from time to time, and every notice.
 */
export class PlainReporter implements Reporter {
    private readonly view: RunView = makeEmptyView();
    private timer: NodeJS.Timeout | null = null;
    private pauseToldAt = Number.NEGATIVE_INFINITY;
    private pauseTimer: NodeJS.Timeout | undefined;

    constructor(
        private readonly sink: Sink,
        private readonly style: Style,
    ) {}

    onEvent(event: RunEvent): void {
        fold(this.view, event);
        if (event.type === 'run-started') {
            for (const line of startLines(this.view)) writeLines(this.sink, line);
            this.beatIn(FIRST_MS);
        } else if (event.type === 'notice') {
            writeLines(this.sink, renderNotice(event, this.style));
        } else if (event.type === 'run-finished') {
            this.close();
        } else if (event.type === 'stopping') {
            this.beat();
        } else if (event.type === 'paused' || event.type === 'resumed') {
            this.tellOfPause();
        }
    }

    close(): void {
        if (this.timer !== null) clearTimeout(this.timer);
        this.timer = null;
        clearTimeout(this.pauseTimer);
    }

    /** At once, and then at most every ten seconds: the line says how it is by then. */
    private tellOfPause(): void {
        const wait = this.pauseToldAt + PAUSES_MS - Date.now();
        clearTimeout(this.pauseTimer);
        if (wait > 0) {
            this.pauseTimer = setTimeout(() => this.tellOfPause(), wait);
            this.pauseTimer.unref();
            return;
        }
        this.pauseToldAt = Date.now();
        this.beat();
    }

    private beatIn(ms: number): void {
        this.timer = setTimeout(() => {
            this.beat();
            this.beatIn(INTERVAL_MS);
        }, ms);
        // The heartbeat must not keep the process alive.
        this.timer.unref();
    }

    private beat(): void {
        const now = Date.now();
        const line = renderHeartbeat(this.view, {
            now,
            width: Number.POSITIVE_INFINITY,
            style: this.style,
            ...measureMachine(),
        });
        writeLines(this.sink, `${new Date(now).toISOString().slice(0, 19)}Z ${line}`);
    }
}
