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

/** Progress bars on a terminal, drawn at most ten times a second, however many events arrive. Notices scroll by above them. */
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
        // Draw what was printed since the last frame.
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
            // A notice above moves the bars, so each frame redraws all of them.
            forceRedraw: true,
            // Leave the terminal's settings alone: after kill -9 nothing would restore them.
            hideCursor: false,
            linewrap: true,
            // The run handles signals itself.
            gracefulExit: false,
            format: (_options, _params, payload: { readonly at: number }) => this.frame[payload.at] ?? '',
        });
        // Write each frame at once to avoid flicker.
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
            // Leave the last column free: writing to it makes some terminals wrap.
            width: this.sink.columns - 1,
            style: this.style,
            ...measureMachine(),
        });
        this.frame = lines.map((line) => maskSecrets(escapeLines(line)));
        // Totals and values are part of the frame; cli-progress only positions its lines. Lines no longer needed stay blank.
        for (; this.lines < this.frame.length; this.lines += 1) bars.create(1, 0, { at: this.lines });
    }

    private print(line: string): void {
        if (this.bars === null) writeLines(this.sink, line);
        else this.bars.log(`${maskSecrets(escapeLines(line))}${CLEAR_TO_END_OF_LINE}\n`);
    }
}

/**
 * The terminal as presented to cli-progress. It cuts lines by counting characters, including colour codes. Our lines already fit,
 * so it is told that the terminal is very wide.
 */
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
