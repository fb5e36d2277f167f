import { escapeLines } from '../util/printable.js';
import { maskSecrets } from '../util/secrets.js';

/** The part of a writable stream that reports need. */
export interface TextStream {
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
    write(text: string): boolean;
    on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Where text goes. Once its reader is gone (EPIPE: `resume-run | head`), or its disk full, text is dropped and the run goes on. */
export interface Sink {
    readonly isTTY: boolean;
    /** Columns of the terminal now; infinite where there is none: what is piped or kept in a file is never cut. */
    readonly columns: number;
    write(text: string): void;
}

/** The one writer of text for people: whatever could steer a terminal, and is neither a line end nor a colour of ours, becomes visible. */
export function writeLines(sink: Sink, text: string): void {
    sink.write(maskSecrets(escapeLines(text.endsWith('\n') ? text : `${text}\n`)));
}

const sinks = new WeakMap<TextStream, Sink>();

/** The sink of a stream: one for each, so that its errors are listened to once. */
export function makeSink(stream: TextStream): Sink {
    let sink = sinks.get(stream);
    if (sink === undefined) {
        sink = createSink(stream);
        sinks.set(stream, sink);
    }
    return sink;
}

function createSink(stream: TextStream): Sink {
    // Bound now: what a module prints in this process is diverted later (`divertStdout`).
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
