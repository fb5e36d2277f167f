import { relative } from 'node:path';
import { type Page, describePage } from '../report/page.js';
import { makeSink, writeLines } from '../report/sink.js';
import { fitScreen } from '../report/width.js';
import { escapeJson, escapeLine, escapeLines } from '../util/printable.js';
import { maskSecrets } from '../util/secrets.js';

/** How text for people is laid out on stdout. */
export function describeStdout(): Page {
    return describePage(process.stdout, process.env);
}

/** Writes lines for people to stdout; a reader that went away is no error. */
export function print(text: string): void {
    writeLines(makeSink(process.stdout), text);
}

/** The same in pieces, each ended by a line's end, which are printed together where they are short. */
export function printLines(pieces: Iterable<string>): void {
    const sink = makeSink(process.stdout);
    for (const text of joinPieces(pieces)) writeLines(sink, text);
}

/** Writes what a program reads (JSON, CSV, Markdown, XML) to stdout, as its own writer made it; of all these only JSON needs escapes. */
export function printRaw(text: string): void {
    makeSink(process.stdout).write(escapeJson(text.endsWith('\n') ? text : `${text}\n`));
}

/** The same in pieces, which are printed together where they are short. */
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

/** Characters that are printed by one call. */
const PIECE = 256 * 1024;

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Shows lines in place of what the terminal shows: as many as it has rows, from the first, which is the headline. */
export function printScreen(text: string): void {
    const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => maskSecrets(escapeLines(line)));
    const sink = makeSink(process.stdout);
    // Each line replaces what was there: the screen is never empty in between.
    sink.write(HOME);
    for (const line of fitScreen(lines, process.stdout)) sink.write(`${line}${CLEAR_LINE}\n`);
    sink.write(CLEAR_BELOW);
}

/** Says on stderr what stdout must not be mixed with. */
export function warn(message: string): void {
    writeLines(makeSink(process.stderr), `warning: ${escapeLine(message)}`);
}

/** A line for people on stderr. */
export function tell(message: string): void {
    writeLines(makeSink(process.stderr), escapeLine(message));
}

/** A directory as people type it from where they are. */
export function asTyped(dir: string): string {
    const path = relative(process.cwd(), dir);
    return path === '' || path.startsWith('..') ? dir : path;
}
