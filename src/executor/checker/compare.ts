import { readFileSync, statSync } from 'node:fs';
import type { BuiltInChecker } from '../../model/sample.js';
import { unreachable } from '../../util/unreachable.js';
import { makeAppsComparer } from './apps.js';
import { CallComparer } from './calls.js';
import { CodeContestsComparer } from './codecontests.js';
import { ACCEPTED, type Comparer, type Comparison } from './comparison.js';
import { ExactComparer } from './exact.js';
import { makeFloatComparer } from './float.js';
import { judge0Comparer } from './judge0.js';
import { makeKattisComparer } from './kattis.js';
import { LineComparer } from './lines.js';
import { makeLiveCodeBenchComparer } from './livecodebench.js';
import { makeSandboxFusionComparer } from './sandboxfusion.js';
import { EXACT_TOKENS, TokenComparer } from './tokens.js';
import { FileWindow, Window } from './window.js';

export type { Comparison } from './comparison.js';

/** Files up to this many bytes are read whole and compared in memory; larger ones are streamed. */
const IN_MEMORY = 1024 * 1024;

/**
 * Compares a program's output with the expected one. Memory is bounded whatever the sizes; comparing two small sides takes
 * microseconds and returns without a promise.
 * @param answer the expected output; in memory if the caller keeps it there
 * @param flags flags of this test alone, added to those of the checker (`kattis` only); null: none
 * @throws UserError for flags that the checker does not know; the system's error if a file cannot be read
 */
export function compareOutput(
    checker: BuiltInChecker,
    output: Buffer | { readonly path: string },
    answer: Buffer | { readonly path: string },
    flags: readonly string[] | null,
): Comparison | Promise<Comparison> {
    const comparer = chooseComparer(checker, flags);
    const left = Buffer.isBuffer(output) ? output : readSmall(output.path);
    const right = Buffer.isBuffer(answer) ? answer : readSmall(answer.path);
    if (left !== null && right !== null) return compareBuffers(comparer, left, right);
    return compareStreams(comparer, left ?? output, right ?? answer);
}

/** Compares two buffers. Equal bytes are accepted by every rule. */
function compareBuffers(comparer: Comparer, output: Buffer, answer: Buffer): Comparison {
    if (output.equals(answer)) return ACCEPTED;
    const result = comparer.step(Window.whole(output), Window.whole(answer));
    if (result === null) throw new Error('bug in resume-run: a comparison of whole outputs came to nothing');
    return result;
}

/** Compares files that do not fit in memory through windows that move along them. */
export async function compareStreams(
    comparer: Comparer,
    output: Buffer | { readonly path: string },
    answer: Buffer | { readonly path: string },
): Promise<Comparison> {
    const left = await windowOver(output);
    try {
        const right = await windowOver(answer);
        try {
            return await drive(comparer, left, right);
        } finally {
            await closeWindow(right);
        }
    } finally {
        await closeWindow(left);
    }
}

async function drive(comparer: Comparer, output: Window, answer: Window): Promise<Comparison> {
    for (;;) {
        const came = (await refill(output)) + (await refill(answer));
        const before = output.unread + answer.unread;
        const result = comparer.step(output, answer);
        if (result !== null) return result;
        if (came === 0 && before === output.unread + answer.unread) {
            throw new Error('bug in resume-run: a comparison does not go on');
        }
    }
}

function refill(window: Window): Promise<number> | number {
    return window instanceof FileWindow ? window.refill() : 0;
}

async function windowOver(side: Buffer | { readonly path: string }): Promise<Window> {
    return Buffer.isBuffer(side) ? Window.whole(side) : FileWindow.open(side.path);
}

async function closeWindow(window: Window): Promise<void> {
    if (window instanceof FileWindow) await window.close();
}

/** A new comparer for one comparison. @throws UserError for flags that the checker does not know */
export function chooseComparer(checker: BuiltInChecker, flags: readonly string[] | null): Comparer {
    switch (checker.kind) {
        case 'tokens':
            return new TokenComparer(EXACT_TOKENS);
        case 'lines':
            return new LineComparer();
        case 'exact':
            return new ExactComparer();
        case 'float':
            return makeFloatComparer(checker.absolute, checker.relative);
        case 'kattis':
            return makeKattisComparer(flags === null ? checker.flags : joined(checker.flags, flags));
        case 'codecontests':
            return new CodeContestsComparer();
        case 'sandboxfusion':
            return makeSandboxFusionComparer();
        case 'judge0':
            return judge0Comparer();
        case 'apps':
            return makeAppsComparer();
        case 'livecodebench':
            return makeLiveCodeBenchComparer();
        case 'calls':
            return new CallComparer();
        default:
            return unreachable(checker, 'checker');
    }
}

function joined(first: readonly string[], second: readonly string[]): readonly string[] {
    return first.length === 0 ? second : [...first, ...second];
}

/**
 * A small file's bytes; null if it is not small. Reads synchronously, which is far cheaper than a round trip through the thread
 * pool.
 */
function readSmall(path: string): Buffer | null {
    return statSync(path).size <= IN_MEMORY ? readFileSync(path) : null;
}
