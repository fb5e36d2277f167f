import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RanTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import type { RunReport } from '../sandbox/box.js';
import { chooseCheckerLimits, readExitCode, judgeError, type ReadyProgram } from './judge-programs.js';
import { isRuling, RIGHT } from './validator.js';

/*
 * Multi-pass problems: a validator that accepts may request another run of the program by writing its input to `nextpass.in` in
 * the feedback folder. Other files in that folder are kept for the validator of the next pass.
 */

/** The end of one pass: it is either decisive or followed by another pass. @typeParam I how inputs are represented */
export interface PassEnd<I> {
    readonly ran: RanTest;
    /** The input of the next pass; null: there is none. */
    readonly next: I | null;
}

/** A pass on this machine. */
export type Pass = PassEnd<Buffer | { readonly path: string }>;

/** The passes of one test. */
export interface PassingTest {
    /** Path of the test's first input. */
    readonly input: string;
    /** Most passes. */
    readonly passes: number;
    readonly scratch: string;
}

/**
 * Runs the passes of a test. The result contains the maxima over all passes.
 * @throws CheckerError if the validator asks for more passes than allowed
 */
export async function runPasses(
    { input, passes, scratch }: PassingTest,
    runPass: (input: string, pass: number) => Promise<Pass>,
): Promise<RanTest> {
    const file = join(scratch, `pass-${randomBytes(8).toString('hex')}`);
    try {
        return await countPasses(input, passes, async (path, number) => {
            const { ran, next } = await runPass(path, number);
            return { ran, next: next === null ? null : await placeInput(next, file) };
        });
    } finally {
        await rm(file, { force: true });
    }
}

/** The same for any representation of inputs. @param most most passes */
export async function countPasses<I>(
    first: I,
    most: number,
    runPass: (input: I, pass: number) => Promise<PassEnd<I>>,
): Promise<RanTest> {
    let whole: ProgramRun | null = null;
    let input = first;
    for (let number = 1; ; number += 1) {
        const { ran, next } = await runPass(input, number);
        if (ran.kind !== 'ran') return ran;
        whole = whole === null ? ran.run : joinRuns(whole, ran.run);
        if (next === null) return { ...ran, run: whole };
        if (number === most) throw judgeError(`the validator asks for more than ${most} passes`);
        input = next;
    }
}

async function placeInput(next: Buffer | { readonly path: string }, file: string): Promise<string> {
    if (!Buffer.isBuffer(next)) return next.path;
    // Another user's program may reopen it as /dev/stdin.
    await writeFile(file, next, { mode: 0o644 });
    return file;
}

/** Limits apply to each pass: the largest values of all passes are reported. */
function joinRuns(before: ProgramRun, last: ProgramRun): ProgramRun {
    const transcripts = [before.transcript, last.transcript].filter((text) => text !== undefined);
    return {
        ...last,
        nearLimit: before.nearLimit || last.nearLimit,
        cpuTime: larger(before.cpuTime, last.cpuTime),
        wallTime: larger(before.wallTime, last.wallTime),
        memory: larger(before.memory, last.memory),
        ...(transcripts.length === 0 ? {} : { transcript: joinTranscripts(transcripts) }),
    };
}

const larger = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? (a ?? b) : Math.max(a, b);

/** In the format of `.interaction` files of multi-pass problems. Entries keep far less of it. */
function joinTranscripts(transcripts: readonly string[]): string {
    const text = transcripts.map((each) => (each === '' || each.endsWith('\n') ? each : `${each}\n`));
    return text.join('---\n').slice(0, MAX_TRANSCRIPT_BYTES);
}

const MAX_TRANSCRIPT_BYTES = 256 * 1024;
/** Exit code of the command that looks for the next pass if there is none. */
const NO_PASS = 9;

/**
 * Takes the next pass's input from the feedback folder of a validator whose work folder was kept; null: there is none. If it is a
 * path, that file remains unchanged during the next pass. A validator that crashed requests nothing: its crash is reported as a
 * judge error.
 * @param verdict how the validator ended
 * @throws CheckerError if the input cannot be read, or the validator did not accept this pass
 */
export async function takeNextPass(ready: ReadyProgram, verdict: RunReport): Promise<Pass['next']> {
    if (!isRuling(verdict)) return null;
    const report = await ready.box.run({
        argv: [
            '/bin/sh',
            '-c',
            `test -f feedback/nextpass.in || exit ${NO_PASS}; cat feedback/nextpass.in && rm -f feedback/nextpass.in`,
        ],
        stdin: null,
        limits: chooseCheckerLimits(ready),
        keep: true,
    });
    const code = readExitCode(report, '', 'reading nextpass.in');
    if (code === NO_PASS) return null;
    if (code !== 0) throw judgeError('nextpass.in of the validator cannot be read');
    checkAsked(verdict);
    return report.stdout;
}

/** @throws CheckerError if a validator asks for another pass without accepting this one */
export function checkAsked({ exitCode }: RunReport): void {
    if (exitCode !== RIGHT)
        throw judgeError('the validator asks for another pass, but did not accept this one');
}
