import { relative } from 'node:path';
import { type Page, pageOf } from '../report/page.js';
import { sinkOf, writeLines } from '../report/sink.js';
import { printable } from '../util/printable.js';

/** How text for people is laid out on stdout. */
export function stdoutPage(): Page {
    return pageOf(process.stdout, process.env);
}

/** Writes lines for people to stdout; a reader that went away is no error. */
export function print(text: string): void {
    writeLines(sinkOf(process.stdout), text);
}

/** Writes what a program reads (JSON, CSV, Markdown, XML) to stdout, as its own writer made it. */
export function printRaw(text: string): void {
    sinkOf(process.stdout).write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Says on stderr what stdout must not be mixed with. */
export function warn(message: string): void {
    writeLines(sinkOf(process.stderr), `warning: ${printable(message)}`);
}

/** A line for people on stderr. */
export function tell(message: string): void {
    writeLines(sinkOf(process.stderr), printable(message));
}

/** A directory as people type it from where they are. */
export function asTyped(dir: string): string {
    const path = relative(process.cwd(), dir);
    return path === '' || path.startsWith('..') ? dir : path;
}
