import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import type { GraderProgram, SubResult } from '../../model/scoring.js';
import type { Verdict } from '../../model/verdict.js';
import { ACCEPTED, type Comparison } from '../checker/comparison.js';
import type { RunReport } from '../sandbox/box.js';
import { GIVEN_PATHS, type PlacedFile } from '../sandbox/wire.js';
import { readFeedback } from './feedback.js';
import {
    type CheckerTools,
    buildCommand,
    readExitCode,
    firstWords,
    JudgePrograms,
    judgeError,
    lastWords,
    chooseCheckerLimits,
    type ReadyProgram,
} from './judge-programs.js';
import { feedbackFolder, isTestlibRejection, readVerdict, validatorCommand } from './validator.js';

/** Runs checkers and graders in the sandbox. */
export class CheckerPrograms {
    readonly #programs: JudgePrograms;
    /** A box does one thing at a time. Runs are serialised here, since collecting a run's feedback must follow it directly. */
    #last: Promise<unknown> = Promise.resolve();

    constructor(private readonly tools: CheckerTools) {
        this.#programs = new JudgePrograms(tools);
    }

    /** @throws CheckerError if the checker broke its convention or could not be built; SandboxError if the sandbox failed */
    check(
        checker: CheckerProgram,
        test: StagedTest,
        output: Buffer | { readonly path: string },
    ): Promise<Comparison> {
        const turn = this.#last.then(() => this.#checkByAll(checker, test, output));
        this.#last = turn.catch(() => {});
        return turn;
    }

    /** The first validator that rejects decides; the score is that of the first validator that gives one. */
    async #checkByAll(
        checker: CheckerProgram,
        test: StagedTest,
        output: Buffer | { readonly path: string },
    ): Promise<Comparison> {
        let whole: Comparison = ACCEPTED;
        for (const each of [checker, ...(checker.also ?? [])]) {
            const said = await this.#check(each, test, output);
            if (!said.accepted) return said;
            if (whole.score === undefined) whole = said;
        }
        return whole;
    }

    async #check(
        checker: CheckerProgram,
        test: StagedTest,
        output: Buffer | { readonly path: string },
    ): Promise<Comparison> {
        const ready = await this.#programs.prepare(checker, 'the checker');
        const flags = [...checker.flags, ...(test.checkerFlags ?? [])];
        const file = await this.#asFile(output);
        try {
            return checker.convention === 'testlib'
                ? await this.#testlib(ready, test, file.path)
                : await this.#kattis(ready, test, file.path, flags);
        } finally {
            if (file.ours) await rm(file.path, { force: true });
        }
    }

    async #asFile(output: Buffer | { readonly path: string }): Promise<{ path: string; ours: boolean }> {
        if (!Buffer.isBuffer(output)) return { path: output.path, ours: false };
        const path = join(this.tools.scratch, `checked-${randomBytes(8).toString('hex')}`);
        await writeFile(path, output, { mode: 0o600 });
        return { path, ours: true };
    }

    /** `checker in out ans`; its message is on stderr. */
    async #testlib(ready: ReadyProgram, test: StagedTest, output: string): Promise<Comparison> {
        const report = await ready.box.run({
            argv: buildCommand(ready, GIVEN_PATHS),
            stdin: null,
            given: [test.input, output, test.answer],
            limits: chooseCheckerLimits(ready),
        });
        const message = firstWords(report.stderr);
        const code = readExitCode(report, message, 'the checker');
        if (code === 0) return ACCEPTED;
        if (code === 1 && threw(report, ready.usable.language.tag))
            throw judgeError(`the checker ended with an exception: ${lastWords(report.stderr)}`);
        if (isTestlibRejection(code)) return { accepted: false, message };
        const points = code === TESTLIB_POINTS ? readTestlibPoints(message) : null;
        if (points !== null) return { accepted: points > 0, message, score: { points }, needsScoring: true };
        throw judgeError(`the checker exited with ${code}, which means neither right nor wrong: ${message}`);
    }

    /** `validator in ans feedbackdir flags < out`; its message is in `judgemessage.txt` in that folder. */
    async #kattis(
        ready: ReadyProgram,
        test: StagedTest,
        output: string,
        flags: readonly string[],
    ): Promise<Comparison> {
        const report = await ready.box.run({
            argv: validatorCommand(ready, flags, 1),
            stdin: { path: output },
            given: [test.input, test.answer],
            limits: chooseCheckerLimits(ready),
            keep: true,
        });
        const said = await readFeedback(ready, feedbackFolder(ready), this.tools.scratch);
        return readVerdict(report, said);
    }

    /**
     * `grader flags < results`: prints one line in the same format as its input lines.
     * @throws CheckerError if the grader broke its convention or could not be built; SandboxError if the sandbox failed
     */
    grade(grader: GraderProgram, flags: readonly string[], items: readonly SubResult[]): Promise<SubResult> {
        const turn = this.#last.then(() => this.#grade(grader, flags, items));
        this.#last = turn.catch(() => {});
        return turn;
    }

    async #grade(
        grader: GraderProgram,
        flags: readonly string[],
        items: readonly SubResult[],
    ): Promise<SubResult> {
        const ready = await this.#programs.prepare(grader, 'the grader');
        const lines = items.map(({ verdict, score }) => `${CODES[verdict]} ${score}\n`).join('');
        const report = await ready.box.run({
            argv: buildCommand(ready, flags),
            stdin: { data: Buffer.from(lines) },
            limits: chooseCheckerLimits(ready),
        });
        const code = readExitCode(report, firstWords(report.stderr), 'the grader');
        const printed = Buffer.isBuffer(report.stdout) ? report.stdout.toString('latin1') : '';
        const [, word = '', score = ''] =
            /^\s*([A-Z]{2,3})\s+(-?[\d.]+(?:e[-+]?\d+)?)\s*$/i.exec(printed) ?? [];
        const verdict = VERDICTS_BY_CODE.get(word);
        if (code !== 0 || verdict === undefined || !Number.isFinite(Number(score))) {
            const got = JSON.stringify(printed.slice(0, 80));
            throw judgeError(
                `the grader exited with ${code} and printed ${got}, expected a verdict and a score`,
            );
        }
        return { verdict, score: Number(score) };
    }

    /**
     * A separate box for a validator that works with one submission; the caller closes it.
     * @param more files beside the validator's own
     */
    open(checker: CheckerProgram, more: readonly PlacedFile[] = []): Promise<ReadyProgram> {
        return this.#programs.open(checker, 'the validator', more);
    }

    async close(): Promise<void> {
        await this.#programs.close();
    }
}

/** Exit code of testlib's `quitp`, which prints `points 12.5 why` on stderr. */
const TESTLIB_POINTS = 7;

function readTestlibPoints(message: string): number | null {
    const [, points] = /^points (\d+(?:\.\d+)?)(?:\s|$)/.exec(message) ?? [];
    return points === undefined ? null : Number(points);
}

/** Verdicts in the notation of graders. */
const CODES: Readonly<Record<Verdict, string>> = {
    Accepted: 'AC',
    PartiallyAccepted: 'AC',
    WrongAnswer: 'WA',
    TimeLimitExceeded: 'TLE',
    MemoryLimitExceeded: 'RTE',
    OutputLimitExceeded: 'RTE',
    RuntimeError: 'RTE',
    CompileError: 'RTE',
    Refused: 'WA',
};

const VERDICTS_BY_CODE: ReadonlyMap<string, Verdict> = new Map([
    ['AC', 'Accepted'],
    ['WA', 'WrongAnswer'],
    ['PE', 'WrongAnswer'],
    ['TLE', 'TimeLimitExceeded'],
    ['RTE', 'RuntimeError'],
    ['MLE', 'MemoryLimitExceeded'],
    ['OLE', 'OutputLimitExceeded'],
]);

/**
 * What interpreters print at the start of a line for an uncaught exception; their exit code is then the same as testlib's
 * "wrong".
 */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
    PYTHON: /^Traceback \(most recent call last\):$/m,
    PYTHON3: /^Traceback \(most recent call last\):$|^ *SyntaxError: /m,
    JAVA: /^Exception in thread "/m,
    KOTLIN: /^Exception in thread "/m,
    JAVASCRIPT: /^Node\.js v\d/m,
    TYPESCRIPT: /^Node\.js v\d/m,
};

/** Whether a checker crashed although its exit code means "wrong". */
function threw(report: RunReport, tag: string): boolean {
    return EXCEPTIONS[tag]?.test(report.stderr.toString()) ?? false;
}
