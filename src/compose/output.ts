import { relative } from 'node:path';
import { type Page, describePage } from '../report/page.js';
import { makeSink, writeLines } from '../report/sink.js';
import { fitScreen } from '../report/width.js';
import { escapeJson, escapeLine, escapeLines } from '../util/printable.js';
import { maskSecrets } from '../util/secrets.js';

/** The layout of text for people on stdout. */
export function describeStdout(): Page {
    return describePage(process.stdout, process.env);
}

/** Writes lines for people to stdout; a reader that has gone away is not an error. */
export function print(text: string): void {
    writeLines(makeSink(process.stdout), text);
}

/** Like `print`, for pieces that each end with a line break; short ones are printed together. */
export function printLines(pieces: Iterable<string>): void {
    const sink = makeSink(process.stdout);
    for (const text of joinPieces(pieces)) writeLines(sink, text);
}

/**
 * Writes output for programs (JSON, CSV, Markdown, XML) to stdout as its own writer produced it; of these formats only JSON needs
 * escaping.
 */
export function printRaw(text: string): void {
    makeSink(process.stdout).write(escapeJson(text.endsWith('\n') ? text : `${text}\n`));
}

/** Like `printRaw`, for pieces; short ones are printed together. */
export function printPieces(pieces: Iterable<string>): void {
    const sink = makeSink(process.stdout);
    for (const text of joinPieces(pieces)) sink.write(escapeJson(text));
}

function* joinPieces(pieces: Iterable<string>): Generator<string> {
    let waiting = '';
    for (const piece of pieces) {
        waiting += piece;
        if (waiting.length < PIECE) continue;
        yield waiting;
        waiting = '';
    }
    if (waiting !== '') yield waiting;
}

/** Characters printed by one call. */
const PIECE = 256 * 1024;

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Replaces what the terminal shows by as many lines as fit, starting with the first, which is the headline. */
export function printScreen(text: string): void {
    const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => maskSecrets(escapeLines(line)));
    const sink = makeSink(process.stdout);
    // Overwrites line by line, so that the screen is never blank in between.
    sink.write(HOME);
    for (const line of fitScreen(lines, process.stdout)) sink.write(`${line}${CLEAR_LINE}\n`);
    sink.write(CLEAR_BELOW);
}

/** Prints a warning on stderr, which keeps it out of the output on stdout. */
export function warn(message: string): void {
    writeLines(makeSink(process.stderr), `warning: ${escapeLine(message)}`);
}

/** Prints a line for people on stderr. */
export function tell(message: string): void {
    writeLines(makeSink(process.stderr), escapeLine(message));
}

/** A directory as people would type it from the current folder. */
export function asTyped(dir: string): string {
    const path = relative(process.cwd(), dir);
    return path === '' || path.startsWith('..') ? dir : path;
}
