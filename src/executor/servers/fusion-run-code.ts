import type { CapturedRun } from '../../model/entry.js';
import type { Failure } from '../../model/failure.js';
import type { Limits } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { RanTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import { signalName } from '../signal-name.js';
import type { Submission } from './attempt.js';
import { compilerTrouble } from './compiler.js';
import type { FleetRequest } from './fleet.js';
import { type FusionRun, type RunCodeBody, readRunCode } from './fusion-protocol.js';
import { type FusionSource, fusionSource } from './fusion-source.js';
import { HELLO_WORLDS } from './hello.js';
import { asText, type ByteBudget, readWhole, sizeOf } from './load.js';
import type { Place, Step } from './session.js';

/** Seconds that a compilation gets. */
export const COMPILE_TIME = 60;
/** Seconds beyond all limits after which a server that has not answered is taken for hung. */
export const ANSWER_SLACK = 60;
/** Bytes of answer beyond twice what the program may print: JSON escapes, stderr, the rest of the answer. */
const ANSWER_EXTRA = 16 * 1024 * 1024;
/** Bytes: longer answers could not be one string. */
const LONGEST_ANSWER = 400 * 1024 * 1024;

/** What one attempt by either call needs. */
export interface FusionAttempt {
    readonly submission: Submission;
    /** The server's name of the language. */
    readonly language: string;
    /** Bounds the test data in memory over all attempts. */
    readonly budget: ByteBudget;
    /** Pairs of endpoint and language that were seen to compile a hello-world; shared by all attempts. */
    readonly compilers: Set<string>;
    readonly allTests: boolean;
}

/** Virtual machines reserve far more address space than they use: a limit on that would end them all. */
const RESERVES_MEMORY = new Set(['java', 'nodejs', 'typescript', 'go', 'csharp', 'scala', 'julia']);

/** Runs tests one by one by `/run_code`: each request sends its one test. */
export function runCodeTests(attempt: FusionAttempt): (test: StagedTest, time: number) => Promise<RanTest> {
    const { submission, language, budget } = attempt;
    const { session, limits, input } = submission;
    const memory = RESERVES_MEMORY.has(language) ? null : limits.memory;
    let source: Promise<FusionSource> | null = null;
    return async (test, time) => {
        source ??= fusionSource(input, language);
        const sent = await source;
        const size = sizeOf(test.input);
        // The text, its JSON and what goes over the wire.
        const step = await budget.hold(size * 3, async () => {
            const stdin = asText(await readWhole(test.input));
            if (stdin === null) return notText(test.name);
            return session.step((place) => {
                const request = runCodeRequest({ language, source: sent, stdin, time, memory });
                return judgeable(attempt, place, { ...request, maxAnswer: answerBound(limits.output) });
            });
        });
        return step.kind === 'done' ? ranTest(step.value, limits, time) : step;
    };
}

/** One run, which is asked for again elsewhere if its CompileError is the server's own. */
async function judgeable(
    attempt: FusionAttempt,
    place: Place,
    request: FleetRequest,
): Promise<Step<FusionRun>> {
    const step = await place.exchange(request, readRunCode);
    if (step.kind !== 'done' || step.value.run !== null || step.value.compile === null) return step;
    const trouble = compilerTrouble(step.value.compile) ?? (await cannotCompile(attempt, place));
    if (trouble === null) return step;
    return {
        kind: 'failed',
        failure: { reason: 'compiler', message: `${place.endpoint}: ${trouble}` },
        retry: true,
    };
}

/** A CompileError counts only where a hello-world compiles. */
async function cannotCompile(attempt: FusionAttempt, place: Place): Promise<string | null> {
    const { language, compilers } = attempt;
    const key = `${place.endpoint} ${language}`;
    const code = HELLO_WORLDS[attempt.submission.input.language];
    if (compilers.has(key) || code === undefined) return null;
    const source = { code, files: {} };
    const request = runCodeRequest({ language, source, stdin: '', time: 10, memory: null });
    const step = await place.exchange(request, readRunCode);
    if (step.kind !== 'done') return 'the hello-world that was to test its compiler failed';
    if (step.value.run === null) return `it cannot compile a hello-world in ${language}`;
    compilers.add(key);
    return null;
}

export interface RunCode {
    readonly language: string;
    readonly source: FusionSource;
    readonly stdin: string;
    /** Seconds. */
    readonly time: number;
    /** Bytes; null: none. */
    readonly memory: number | null;
}

export function runCodeRequest(run: RunCode): FleetRequest {
    const body: RunCodeBody = {
        language: run.language,
        code: run.source.code,
        stdin: run.stdin,
        compile_timeout: COMPILE_TIME,
        run_timeout: run.time,
        memory_limit_MB: run.memory === null ? -1 : Math.ceil(run.memory / (1024 * 1024)),
        files: run.source.files,
        fetch_files: [],
    };
    return {
        method: 'POST',
        path: '/run_code',
        body: JSON.stringify(body),
        timeout: COMPILE_TIME + run.time + ANSWER_SLACK,
        maxAnswer: ANSWER_EXTRA,
    };
}

/** Bytes of answer to read where programs may print `output` bytes. */
export const answerBound = (output: number): number => Math.min(LONGEST_ANSWER, output * 2 + ANSWER_EXTRA);

/** A run as the test loop takes it. These servers measure wall time alone. @param time seconds that it had */
export function ranTest(seen: FusionRun, limits: Limits, time: number): RanTest {
    const { run, compile } = seen;
    if (run === null) return { kind: 'not-compiled', compile: compile ?? noCompile };
    const output = Buffer.from(run.stdout);
    const signal = run.return_code !== null && run.return_code < 0 ? signalName(-run.return_code) : null;
    const ended: ProgramRun = {
        verdict: verdictOf(run, output.length, limits),
        // Killed by neither the program nor a limit of ours: the machine's own doing, unless it happens again.
        doubt: signal === 'SIGKILL' || signal === 'SIGTERM' ? 'signal' : 'unmeasured',
        // What was stopped at the limit would have taken anybody knows how long.
        nearLimit: run.status === 'Finished' && run.execution_time >= 0.9 * time,
        cpuTime: null,
        wallTime: run.execution_time,
        memory: null,
        returnCode: run.return_code,
        signal,
        stdout: output,
        stderr: run.stderr,
    };
    return { kind: 'ran', run: ended, lossy: true };
}

function verdictOf(run: CapturedRun, printed: number, limits: Limits): ProgramRun['verdict'] {
    if (run.status === 'TimeLimitExceeded') return 'TimeLimitExceeded';
    if (printed > limits.output) return 'OutputLimitExceeded';
    return run.return_code === 0 ? null : 'RuntimeError';
}

const noCompile: CapturedRun = {
    status: 'Error',
    execution_time: 0,
    return_code: null,
    stdout: '',
    stderr: '',
};

export function notText(test: string): { kind: 'failed'; failure: Failure } {
    const message = `test ${test} is not UTF-8 text, and SandboxFusion takes nothing else`;
    return { kind: 'failed', failure: { reason: 'sandbox', message } };
}
