import { open, readFile, stat } from 'node:fs/promises';
import type { Checker } from '../model/sample.js';
import type { Suspicion } from '../model/task.js';
import { unreachable } from '../util/unreachable.js';
import type { Output } from './cut-text.js';

/*
 * What a time-out means. What concerns the connection and HTTP (failures,
 * refusals) is in endpoint/http.ts.
 *
 *   time-out, some output         a real time-out: final. At --first-timeout: repeated at --timeout, if the output so far
 *                                 is the beginning of the expected one (or the checker alone can tell)
 *   time-out, no output           where time is measured: its figures say. Where it is not: in doubt, once more elsewhere at
 *                                 the full limit; two that agree make the verdict
 *   output cut by the server      flagged `truncated`; never final at --first-timeout, where its program may have been blocked
 */

/** A program that was stopped at a time limit or exceeded it. */
export interface TimeOut {
    readonly output: Output;
    /** The doubt raised by the measurements (CPU time near the limit, for example); `unmeasured`: only wall time is known. */
    readonly doubt: Suspicion | 'certain' | 'unmeasured';
    /** The program ran under `--first-timeout`, which is below the task's limit. */
    readonly first: boolean;
    readonly checker: Checker;
    /** Path of the expected output. */
    readonly answer: string;
}

/** Whether a time-out should be confirmed by one more attempt, and why. */
export async function suspectTimeOut(seen: TimeOut): Promise<Suspicion | null> {
    const { doubt } = seen;
    if (!seen.first && doubt !== 'unmeasured') return doubt === 'certain' ? null : doubt;
    const output = await readOutput(seen.output);
    const blank = isBlank(output);
    if (!seen.first) return blank ? 'no-output' : null;
    if (blank) return doubt === 'unmeasured' ? 'no-output' : 'first-timeout';
    return (await mayBecomeRight(output, seen.checker, seen.answer)) ? 'first-timeout' : null;
}

/** The same for a time-out whose output was partly lost and whose remaining output is wrong. */
export const cutTimeOutSuspicion = ({ first }: TimeOut): Suspicion | null => (first ? 'first-timeout' : null);

/** Seconds for a test: `--first-timeout` if it is lower, unless this very test is run again for confirmation. */
export function chooseTime(limit: number, firstTimeout: number | null, confirming: boolean): number {
    return firstTimeout === null || confirming ? limit : Math.min(firstTimeout, limit);
}

const readOutput = async (output: Output): Promise<Buffer> =>
    Buffer.isBuffer(output) ? output : readFile(output.path);

const isBlank = (output: Buffer): boolean => output.toString('latin1').trim() === '';

async function mayBecomeRight(output: Buffer, checker: Checker, answer: string): Promise<boolean> {
    switch (checker.kind) {
        case 'tokens':
        case 'lines':
        case 'exact':
        case 'judge0':
            return beginsAnswer(output, answer);
        case 'float':
        case 'kattis':
        case 'codecontests':
        case 'sandboxfusion':
        case 'apps':
        case 'livecodebench':
        case 'calls':
        case 'program':
            // Different texts may be right, so only more time can tell.
            return true;
        default:
            return unreachable(checker, 'checker');
    }
}

/**
 * Whether the output, ignoring white space, is a proper prefix of the expected one. Reads no more of the expected output than it
 * needs.
 */
export async function beginsAnswer(output: Buffer, answer: string): Promise<boolean> {
    const { size } = await stat(answer);
    const enough = Math.min(size, output.length * 2 + 4096);
    const expected = Buffer.alloc(enough);
    const file = await open(answer, 'r');
    try {
        let filled = 0;
        while (filled < enough) {
            const { bytesRead } = await file.read(expected, filled, enough - filled, filled);
            if (bytesRead === 0) break;
            filled += bytesRead;
        }
    } finally {
        await file.close();
    }
    const whole = collapse(expected);
    const part = collapse(output);
    return part.length < whole.length && whole.startsWith(part);
}

const collapse = (bytes: Buffer): string => bytes.toString('latin1').trim().replace(/\s+/g, ' ');
