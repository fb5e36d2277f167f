import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { JudgeResult } from '../../../model/entry.js';
import { makeTextContent } from '../../../model/fingerprint.js';
import type { JsonObject } from '../../../model/json.js';
import { DEFAULT_MEMORY, DEFAULT_OUTPUT } from '../../../model/limits.js';
import type { Checker, StagedSample } from '../../../model/sample.js';
import type { Suspicion, Task, VerdictOutcome } from '../../../model/task.js';
import { UserError } from '../../../util/user-error.js';
import type { Executor, ExecutorContext } from '../../executor.js';
import type { JudgeDescriptor } from '../../judge/judge-kind.js';
import { type Scored, scoringFailure } from './scoring.js';

/** A program from an answer, and the tests that it has to pass. */
export interface ProgramToJudge {
    readonly source: string;
    /** Tag of its language. */
    readonly language: string;
    readonly tests: readonly ProgramTest[];
    readonly checker: Checker;
    /** Seconds of CPU time per test. */
    readonly time: number;
    /** Bytes; null: the judge's default. */
    readonly memory: number | null;
}

export interface ProgramTest {
    readonly name: string;
    readonly input: string;
    readonly output: string;
}

/** Judges programs in answers in the sandbox of the executor `judge`, at most one per CPU at once. */
export class ProgramJudge {
    readonly #descriptor: JudgeDescriptor;
    #judge: Promise<Executor> | null = null;
    #free = availableParallelism();
    readonly #waiting: (() => void)[] = [];

    constructor(descriptor: JudgeDescriptor) {
        this.#descriptor = descriptor;
    }

    /** Never rejects because of a program. */
    async score(program: ProgramToJudge, task: Task, context: ExecutorContext): Promise<Scored> {
        if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        else this.#free -= 1;
        try {
            if (context.signal.aborted) return { kind: 'aborted' };
            return await this.#run(program, task, context);
        } finally {
            const next = this.#waiting.shift();
            if (next === undefined) this.#free += 1;
            else next();
        }
    }

    async #run(program: ProgramToJudge, task: Task, context: ExecutorContext): Promise<Scored> {
        let stage: string;
        try {
            stage = await this.#stage(program, task.sample);
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            return { kind: 'failed', failure: scoringFailure(error.message) };
        }
        try {
            return await this.#judgeTwice(program, { ...task, stage }, context);
        } finally {
            await rm(stage, { recursive: true, force: true });
        }
    }

    /** A suspect verdict (a time near the limit, a signal from elsewhere) is judged once more, and is then final. */
    async #judgeTwice(program: ProgramToJudge, task: Task, context: ExecutorContext): Promise<Scored> {
        this.#judge ??= import('../../judge/judge.js').then(({ createJudge }) =>
            createJudge(this.#descriptor),
        );
        const judge = await this.#judge;
        let confirming: Suspicion | null = null;
        for (;;) {
            const judged: Task = {
                ...taskFor(program, task),
                confirming,
                settles: confirming !== null,
            };
            const outcome = await judge.run(judged, context);
            if (outcome.kind === 'abort') return { kind: 'aborted' };
            if (outcome.kind === 'failure') return { kind: 'failed', failure: outcome.failure };
            const { suspect } = outcome;
            if (suspect === null || suspect === confirming) return toScore(outcome, program.language);
            confirming = suspect;
        }
    }

    /** Writes the tests to scratch files, in the same form as tests of a dataset. */
    async #stage({ tests, checker }: ProgramToJudge, id: string): Promise<string> {
        const folder = join(this.#descriptor.scratch, `answer-${randomBytes(9).toString('hex')}`);
        try {
            await mkdir(folder, { recursive: true, mode: 0o700 });
            const sample: StagedSample = { id, checker, tests: await stageTests(tests, folder) };
            await writeFile(join(folder, 'sample.json'), JSON.stringify(sample), { mode: 0o600 });
            return folder;
        } catch (error) {
            await rm(folder, { recursive: true, force: true }).catch(() => undefined);
            const why = error instanceof Error ? error.message : String(error);
            throw new UserError(`cannot write the tests of ${id} to scratch files: ${why}`, 2, {
                cause: error,
            });
        }
    }

    async close(): Promise<void> {
        await (await this.#judge)?.close();
    }
}

function stageTests(
    tests: readonly ProgramTest[],
    folder: string,
): Promise<readonly StagedSample['tests'][number][]> {
    return Promise.all(
        tests.map(async ({ name, input, output }, index) => {
            const paths = { input: join(folder, `${index}.in`), answer: join(folder, `${index}.ans`) };
            // A program reads its input under its own user.
            await writeFile(paths.input, input, { mode: 0o644 });
            await writeFile(paths.answer, output, { mode: 0o600 });
            return { name, ...paths, checkerFlags: null };
        }),
    );
}

const taskFor = ({ source, language, time, memory }: ProgramToJudge, task: Task): Task => ({
    ...task,
    input: {
        kind: 'program',
        language,
        files: [{ name: '', content: makeTextContent(source) }],
        expected: null,
        name: null,
    },
    limits: { time, memory: memory ?? DEFAULT_MEMORY, output: DEFAULT_OUTPUT },
    confirmed: [],
});

/** 1 if all tests passed, otherwise 0. */
function toScore({ verdict, result }: VerdictOutcome, language: string): Scored {
    const { tests } = result as JudgeResult;
    const failed = tests.find(({ passed }) => !passed);
    const run = failed?.exec_info.compile_result ?? failed?.exec_info.run_result;
    const details: JsonObject = {
        verdict,
        language,
        tests_passed: tests.filter(({ passed }) => passed).length,
        ...(failed?.name === undefined ? {} : { failed_test: failed.name }),
        ...(run?.stderr === undefined || run.stderr === '' ? {} : { stderr: run.stderr }),
    };
    return { kind: 'scored', score: Number(verdict === 'Accepted'), details: { score_details: details } };
}
