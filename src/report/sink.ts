import { escapeLines } from '../util/printable.js';
import { maskSecrets } from '../util/secrets.js';

/** The part of a writable stream that reports need. */
export interface TextStream {
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
    write(text: string): boolean;
    on(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * Destination for text. Once its reader is gone (EPIPE: `resume-run | head`), or its disk is full, text is dropped and the run
 * continues.
 */
export interface Sink {
    readonly isTTY: boolean;
    /** Current columns of the terminal; infinite if there is none: text in pipes and files is never cut. */
    readonly columns: number;
    write(text: string): void;
}

/**
 * Writes text for people; all such output goes through it. It makes control characters visible, except for line ends and our own
 * colours, so that none can control the terminal.
 */
export function writeLines(sink: Sink, text: string): void {
    sink.write(maskSecrets(escapeLines(text.endsWith('\n') ? text : `${text}\n`)));
}

const sinks = new WeakMap<TextStream, Sink>();

/** The sink of a stream. There is one per stream, so that only one error listener is added. */
export function makeSink(stream: TextStream): Sink {
    let sink = sinks.get(stream);
    if (sink === undefined) {
        sink = createSink(stream);
        sinks.set(stream, sink);
    }
    return sink;
}

function createSink(stream: TextStream): Sink {
    // Bind now: `divertStdout` later redirects what a module prints in this process.
    const write = stream.write.bind(stream);
    let gone = false;
    stream.on('error', () => {
        gone = true;
    });
    return {
        get isTTY() {
            return stream.isTTY === true;
        },
        get columns() {
            return stream.isTTY === true ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
        },
        write(text) {
            if (!gone) write(text);
        },
    };
}
