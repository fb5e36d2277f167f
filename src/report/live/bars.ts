import { Writable } from 'node:stream';
import cliProgress, { type MultiBar } from 'cli-progress';
import type { RunEvent } from '../../model/event.js';
import { escapeLines } from '../../util/printable.js';
import { maskSecrets } from '../../util/secrets.js';
import { makeEmptyView, fold, type RunView } from './fold.js';
import { renderLiveLines, startLines } from './live.js';
import { measureMachine } from '../machine.js';
import { renderNotice } from './notice.js';
import type { Reporter } from './reporter.js';
import { type Sink, writeLines } from '../sink.js';
import type { Style } from '../style.js';

const FRAMES_A_SECOND = 10;
const CLEAR_TO_END_OF_LINE = '\u001b[K';

/** Bars on a terminal: drawn ten times a second at most, whatever the number of events. Notices scroll by above them. */
export class BarReporter implements Reporter {
    private readonly view: RunView = makeEmptyView();
    private readonly screen: Screen;
    private bars: MultiBar | null = null;
    private frame: readonly string[] = [];
    private lines = 0;

    constructor(
        private readonly sink: Sink,
        private readonly style: Style,
    ) {
        this.screen = new Screen(sink);
    }

    onEvent(event: RunEvent): void {
        fold(this.view, event);
        if (event.type === 'run-started') {
            for (const line of startLines(this.view)) this.print(line);
            this.open();
        } else if (event.type === 'notice') {
            this.print(renderNotice(event, this.style));
        } else if (event.type === 'run-finished') {
            this.close();
        }
    }

    close(): void {
        if (this.bars === null) return;
        this.screen.cork();
        // What was printed since the last frame is still waiting to be drawn.
        this.bars.update();
        this.bars.stop();
        this.screen.uncork();
        this.bars = null;
    }

    private open(): void {
        const bars = new cliProgress.MultiBar({
            stream: this.screen,
            fps: FRAMES_A_SECOND,
            clearOnComplete: true,
            // A notice above moves the bars, so each frame draws all of them.
            forceRedraw: true,
            // The terminal's settings stay as they are: after kill -9 nobody would set them back.
            hideCursor: false,
            linewrap: true,
            // Signals are the run's business.
            gracefulExit: false,
            format: (_options, _params, payload: { readonly at: number }) => this.frame[payload.at] ?? '',
        });
        // One write a frame: no flicker.
        bars.on('update-pre', () => {
            this.nextFrame(bars);
            this.screen.cork();
        });
        bars.on('update-post', () => {
            this.screen.uncork();
        });
        this.bars = bars;
        this.nextFrame(bars);
    }

    private nextFrame(bars: MultiBar): void {
        const lines = renderLiveLines(this.view, {
            now: Date.now(),
            // The last column is left free: writing it moves some terminals to the next line.
            width: this.sink.columns - 1,
            style: this.style,
            ...measureMachine(),
        });
        this.frame = lines.map((line) => maskSecrets(escapeLines(line)));
        // Totals and values are in the frame: cli-progress only places its lines. Lines that are no longer needed stay blank.
        for (; this.lines < this.frame.length; this.lines += 1) bars.create(1, 0, { at: this.lines });
    }

    private print(line: string): void {
        if (this.bars === null) writeLines(this.sink, line);
        else this.bars.log(`${maskSecrets(escapeLines(line))}${CLEAR_TO_END_OF_LINE}\n`);
    }
}

/** The terminal as cli-progress sees it. It cuts lines by counting characters, colours too; ours fit already, so it is shown a very wide one. */
class Screen extends Writable {
    readonly isTTY = true;
    readonly columns = 100_000;

    constructor(private readonly sink: Sink) {
        super({ decodeStrings: false });
    }

    override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
        this.sink.write(String(chunk));
        done();
    }

    override _writev(chunks: { readonly chunk: string | Buffer }[], done: () => void): void {
        this.sink.write(chunks.map(({ chunk }) => String(chunk)).join(''));
        done();
    }
}
