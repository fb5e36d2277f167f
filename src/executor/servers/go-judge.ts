import { z } from 'zod';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import type { GoJudgeDescriptor } from './go-judge-kind.js';
import type { StagedSample } from '../../model/sample.js';
import type { CheckOutput } from '../check-output.js';
import { judgeError } from '../judge/judge-programs.js';
import type { Language } from '../judge/language.js';
import { buildLanguageTable } from '../judge/languages.js';
import { Attempts, type Submission } from './attempt.js';
import { type Ask, Fleet } from './fleet.js';
import { parseAnswer } from './fusion-protocol.js';
import { GoJudgeAttempt } from './go-judge-attempt.js';
import { readSources } from './go-judge-program.js';
import type { ServerProblem } from './go-judge-talk.js';
import { readServerValidator } from './go-judge-validator.js';
import { LackingEndpoints } from './lacking-endpoints.js';
import { ByteBudget, LOAD_BUDGET } from './load.js';
import { LocalCheck } from './local-check.js';
import { describeReadingProblem } from './session.js';
import type { ServerExecutor, ServerParts } from './server-executor.js';
import { type Judged, judgeTests } from '../judge-tests.js';

/**
 * Concurrent requests if the user gives no number. The server queues requests beyond its `-parallelism`, and measures CPU time.
 */
const DEFAULT_CONCURRENCY = 4;

/** Seconds allowed for the answer to a probe. */
const PROBE_ANSWER = 10;

/**
 * Judges on go-judge servers: compiles once per attempt, runs each test from the kept file, and deletes what was kept.
 * @throws UserError if a token cannot be read
 */
export function createGoJudge(descriptor: GoJudgeDescriptor, parts: ServerParts = {}): ServerExecutor {
    const fleet = new Fleet(descriptor, DEFAULT_CONCURRENCY, probeGoJudge, parts.hooks);
    const table = buildLanguageTable({ overrides: descriptor.languages, python2As3: descriptor.python2As3 });
    const budget = new ByteBudget(LOAD_BUDGET);
    const compilers = new Set<string>();
    const lacking = new LackingEndpoints();
    const local = new LocalCheck(descriptor);
    const check = parts.check ?? local.check;
    const judge = async (submission: Submission): Promise<Judged> => {
        const { task, limits, sample, input } = submission;
        const language = table.get(input.language);
        if (language === undefined) {
            const message = `unknown language ${input.language}`;
            return { kind: 'failed', failure: { reason: 'sandbox', message } };
        }
        const sources = await readSources(input, language);
        const problem = await readServerProblem(sample, table, descriptor.includeDirs, check);
        const attempt = new GoJudgeAttempt({
            submission,
            language,
            sources,
            fleet,
            budget,
            compilers,
            lacking,
            problem,
        });
        try {
            return await judgeTests({
                task,
                limits,
                sample,
                options: descriptor,
                firstTimeout: descriptor.firstTimeout,
                check,
                grade: local.grade,
                run: (test, time) => attempt.run(test, time),
            });
        } finally {
            attempt.cleanUp();
        }
    };
    return new Attempts(fleet, descriptor.adaptWindows, parts).executor(judge, local);
}

/** The part of a problem that runs on servers with submissions; null if there is none. */
async function readServerProblem(
    { checker, interactive, interactor, passes }: StagedSample,
    table: ReadonlyMap<string, Language>,
    includeDirs: readonly string[],
    check: CheckOutput,
): Promise<ServerProblem | null> {
    const program = interactor ?? (checker.kind === 'program' ? checker : null);
    if (interactive === true && program === null)
        throw judgeError('an interactive problem needs a validator or an interactor');
    if (program === null || (interactive !== true && passes === undefined)) return null;
    return {
        validator: await readServerValidator(program, table, includeDirs),
        isInteractive: interactive === true,
        passes: passes ?? null,
        checkWritten: async (test, written) => check(checker, test, written),
    };
}

/** Asks for the version, which is cheap and needs no language. The message of an `ok` is that version. */
export async function probeGoJudge(ask: Ask): Promise<ProbeOutcome> {
    const answer = await ask({ method: 'GET', path: '/version', timeout: PROBE_ANSWER, maxAnswer: 65_536 });
    switch (answer.kind) {
        case 'aborted':
            return { outcome: 'abandoned', wait: null, message: 'stopped' };
        case 'failure':
            return answer;
        case 'answer': {
            const reading = parseAnswer(z.object({ buildVersion: z.string() }), answer.body);
            if (!('value' in reading))
                return { outcome: 'broken', wait: null, message: describeReadingProblem(reading) };
            return { outcome: 'ok', wait: null, message: reading.value.buildVersion };
        }
    }
}
