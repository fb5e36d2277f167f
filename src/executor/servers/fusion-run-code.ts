import type { Failure } from '../../model/failure.js';
import type { StagedTest } from '../../model/sample.js';
import type { CheckOutput } from '../check-output.js';
import type { RanTest } from '../judge-tests.js';
import type { Submission } from './attempt.js';
import type { ControlRun, ControlRuns } from './control-runs.js';
import { examineRun } from './examine-run.js';
import { readLimitedRunCode, readRunCode } from './fusion-protocol.js';
import type { ServerRun } from './server-run.js';
import { type RunCode, runCodeRequest } from './fusion-request.js';
import { toRanTest } from './fusion-run.js';
import { type FusionSource, buildFusionSource, sourceTexts } from './fusion-source.js';
import { hitsDigitLimit, liftDigitLimit } from './int-digits.js';
import { asText, type ByteBudget, readWhole, measureSize } from './load.js';
import type { EndpointTry, Step } from './session.js';

/** What an attempt needs, with either call. */
export interface FusionAttempt {
    readonly submission: Submission;
    /** The server's name of the language. */
    readonly language: string;
    /** Limits the test data in memory over all attempts. */
    readonly budget: ByteBudget;
    /** What is known about the endpoints; shared by all attempts. */
    readonly controls: ControlRuns;
    readonly check: CheckOutput;
    readonly allTests: boolean;
    /** Bytes; null: no limit is sent. */
    readonly memoryLimit: number | null;
    /** What the language's runtime prints when it is out of memory; null if unknown. */
    readonly outOfMemory: RegExp | null;
}

/** Virtual machines reserve far more address space than they use, so an address-space limit would end them all. */
const RESERVES_MEMORY = new Set(['java', 'nodejs', 'typescript', 'go', 'csharp', 'scala', 'julia']);

/** Runs tests one by one with `/run_code`, one request per test. */
export function runCodeTests(attempt: FusionAttempt): (test: StagedTest, time: number) => Promise<RanTest> {
    const { submission, language, budget, memoryLimit } = attempt;
    const { session, limits, input } = submission;
    let memory = RESERVES_MEMORY.has(language) ? null : memoryLimit;
    let source: Promise<FusionSource> | null = null;
    return async (test, time) => {
        source ??= buildFusionSource(input, language);
        const sent = await source;
        const size = measureSize(test.input);
        // Three copies: the text, its JSON and the bytes sent.
        const step = await budget.hold(size * 3, async () => {
            const stdin = asText(await readWhole(test.input));
            if (stdin === null) return failNotText(test.name);
            return session.step(async (place) => {
                let run = { language, source: sent, stdin, time, memory, output: limits.output };
                let limited = await runLimited(place, run, attempt.controls);
                if (limited.kind !== 'done') return limited;
                if (language === 'python' && hitsDigitLimit(limited.value.seen.run)) {
                    const lifted = { ...sent, code: liftDigitLimit(sent.code) };
                    run = { ...run, source: lifted };
                    limited = await runLimited(place, run, attempt.controls);
                    if (limited.kind !== 'done') return limited;
                    source = Promise.resolve(lifted);
                }
                memory = limited.value.memory;
                if (memory === null) submission.held.memory = false;
                return judgeable(attempt, place, { ...run, memory }, { test, seen: limited.value.seen });
            });
        });
        return step.kind === 'done' ? step.value : step;
    };
}

/** A run, and the memory limit that applied to it. */
interface LimitedRun {
    readonly seen: ServerRun;
    readonly memory: number | null;
}

/**
 * Makes one run. Repeats it without a memory limit if that limit, and not the program, may have ended it: the server also applies
 * it to compilers, and every thread's stack counts against it.
 */
async function runLimited(
    place: EndpointTry,
    run: RunCode,
    controls: ControlRuns,
): Promise<Step<LimitedRun>> {
    const { endpoint } = place;
    if (run.memory !== null && controls.takesMemoryLimit(endpoint)) {
        const step = await place.exchange(runCodeRequest(run), readLimitedRunCode);
        if (step.kind !== 'done') return step;
        if (step.value === 'limit refused') {
            controls.sendNoMemoryLimit(endpoint, 'the server cannot set a memory limit (preexec_fn)');
        } else if (!mayBlameLimit(step.value)) {
            return { kind: 'done', value: { seen: step.value, memory: run.memory } };
        }
    }
    const step = await place.exchange(runCodeRequest({ ...run, memory: null }), readRunCode);
    return step.kind === 'done' ? { kind: 'done', value: { seen: step.value, memory: null } } : step;
}

const NO_THREADS =
    /can't start new thread|resource temporarily unavailable|unable to create new native thread/i;

const mayBlameLimit = ({ run }: ServerRun): boolean =>
    run === null || (run.status === 'Finished' && run.return_code !== 0 && NO_THREADS.test(run.stderr));

/** Converts a run for the test loop, provided that the program and not the endpoint caused its end. */
async function judgeable(
    attempt: FusionAttempt,
    place: EndpointTry,
    run: RunCode,
    { test, seen }: { readonly test: StagedTest; readonly seen: ServerRun },
): Promise<Step<RanTest>> {
    const { submission, controls, check } = attempt;
    const { input, limits, sample } = submission;
    const examination = await examineRun(seen, {
        place: { endpoint: place.endpoint, control: controlRun(place, run) },
        controls,
        tag: input.language,
        conditions: `${run.language} ${run.memory}`,
        sources: () => sourceTexts(input),
        test,
        checker: sample.checker,
        check,
    });
    if (examination.kind !== 'done') return examination;
    const outOfMemory = run.memory === null ? null : attempt.outOfMemory;
    const facts = { limits, time: run.time, outOfMemory, ...examination.value };
    return { kind: 'done', value: toRanTest(seen, facts) };
}

/** Makes control runs with the same request as `run`. */
export const controlRun =
    (place: Pick<EndpointTry, 'exchange'>, run: RunCode): ControlRun =>
    ({ language = run.language, code, atMost = run.time, read }) =>
        place.exchange(
            runCodeRequest({
                ...run,
                language,
                source: { code, files: {} },
                stdin: '',
                time: Math.min(run.time, atMost),
            }),
            (body) => {
                const reading = readRunCode(body);
                return 'value' in reading && read !== undefined ? read(reading.value) : reading;
            },
        );

export function failNotText(test: string): { kind: 'failed'; failure: Failure } {
    const message = `test ${test} is not UTF-8 text, and SandboxFusion accepts only UTF-8`;
    return { kind: 'failed', failure: { reason: 'sandbox', message } };
}
