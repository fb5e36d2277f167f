import type { StagedTest } from '../../model/sample.js';
import type { RanTest } from '../judge-tests.js';
import { declareUtf8 } from '../judge/source-encoding.js';
import type { ControlRun } from './control-runs.js';
import { examineRun } from './examine-run.js';
import { type FusionSubmission, readSubmission } from './fusion-protocol.js';
import type { ServerRun } from './server-run.js';
import { type Submit, submitRequest } from './fusion-request.js';
import { toRanTest } from './fusion-run.js';
import { type FusionAttempt, failNotText } from './fusion-run-code.js';
import { readContent, sourceTexts } from './fusion-source.js';
import { HELLO_OUTPUT } from './hello.js';
import { hitsDigitLimit, liftDigitLimit } from './int-digits.js';
import { asText, readWhole, measureSize } from './load.js';
import type { EndpointTry, Reading, Step } from './session.js';

/**
 * Runs all tests with one `/submit`, as the earlier tools did; the server compares. The whole answer is fetched when the first
 * test is requested.
 */
export function makeSubmittedTests(
    attempt: FusionAttempt,
): (test: StagedTest, time: number) => Promise<RanTest> {
    const { task, sample } = attempt.submission;
    const sent = sample.tests.slice(task.confirmed.length);
    let answer: Promise<Step<readonly RanTest[]>> | null = null;
    let next = 0;
    return async (test, time) => {
        answer ??= submit(attempt, sent, time);
        const step = await answer;
        if (step.kind !== 'done') return step;
        const ran = step.value[next];
        next += 1;
        if (ran === undefined) throw new Error(`bug in resume-run: no answer for test ${test.name}`);
        return ran;
    };
}

async function submit(
    attempt: FusionAttempt,
    tests: readonly StagedTest[],
    time: number,
): Promise<Step<readonly RanTest[]>> {
    const { submission, language, budget, allTests } = attempt;
    const { session, limits, input, sample } = submission;
    const bytes = tests.reduce((sum, test) => sum + measureSize(test.input) + measureSize(test.answer), 0);
    return budget.hold(bytes * 3, async () => {
        const loaded: { input: string; output: string }[] = [];
        for (const test of tests) {
            const stdin = asText(await readWhole(test.input));
            const output = asText(await readWhole(test.answer));
            if (stdin === null || output === null) return { ...failNotText(test.name), retry: false };
            loaded.push({ input: stdin, output });
        }
        const text = (await readContent(input.files[0].content)).toString('utf8');
        const code = declareUtf8(text, input.language);
        const sent = { language, code, id: sample.id, tests: loaded, time, allTests, output: limits.output };
        return session.step(async (place) => {
            const ask = (wanted: Submit): Promise<Step<FusionSubmission>> =>
                place.exchange(submitRequest(wanted), (body) =>
                    complete(readSubmission(body), tests.length, allTests),
                );
            let step = await ask(sent);
            if (step.kind !== 'done') return step;
            if (language === 'python' && step.value.tests.some(({ info }) => hitsDigitLimit(info.run))) {
                step = await ask({ ...sent, code: liftDigitLimit(code) });
                if (step.kind !== 'done') return step;
            }
            const ran: RanTest[] = [];
            for (const [index, { passed, info }] of step.value.tests.entries()) {
                const test = tests[index];
                if (test === undefined) throw new Error('bug in resume-run: more tests than were sent');
                const judged = await judgeable(attempt, place, sent, { test, passed, info });
                if (judged.kind !== 'done') return judged;
                ran.push(judged.value);
            }
            return { kind: 'done', value: ran };
        });
    });
}

/** Converts a test for the test loop, provided that the program and not the endpoint caused its end. */
async function judgeable(
    { submission, controls }: FusionAttempt,
    place: EndpointTry,
    sent: Submit,
    tested: { readonly test: StagedTest; readonly passed: boolean; readonly info: ServerRun },
): Promise<Step<RanTest>> {
    const { input, limits } = submission;
    const { test, passed, info } = tested;
    const examination = passed
        ? ({ kind: 'done', value: { isDoubtful: false, lossy: false } } as const)
        : await examineRun(info, {
              place: { endpoint: place.endpoint, control: controlSubmission(place, sent) },
              controls,
              tag: input.language,
              conditions: `${sent.language} submit`,
              sources: () => sourceTexts(input),
              test,
              checker: { kind: 'sandboxfusion' },
              check: null,
          });
    if (examination.kind !== 'done') return examination;
    const ran = toRanTest(info, { limits, time: sent.time, outOfMemory: null, ...examination.value });
    const comparison = { accepted: passed, message: null };
    return { kind: 'done', value: ran.kind === 'ran' ? { ...ran, comparison } : ran };
}

/** Makes control runs with the same request as `sent`. */
export const controlSubmission =
    (place: Pick<EndpointTry, 'exchange'>, sent: Submit): ControlRun =>
    ({ language = sent.language, code, atMost = sent.time, read }) =>
        place.exchange(
            submitRequest({
                ...sent,
                language,
                code,
                id: 'control',
                tests: [{ input: '', output: `${HELLO_OUTPUT}\n` }],
                time: Math.min(sent.time, atMost),
            }),
            (body) => {
                const reading = readFirstRun(body);
                return 'value' in reading && read !== undefined ? read(reading.value) : reading;
            },
        );

/** Reads the run of the only test from an answer. */
function readFirstRun(body: Buffer): Reading<ServerRun> {
    const reading = readSubmission(body);
    if (!('value' in reading)) return reading;
    const first = reading.value.tests[0];
    return first === undefined ? { broken: 'no test was run' } : { value: first.info };
}

/**
 * Accepts an answer only if it contains every test, or all up to the first failed one. An empty list of tests is not a verdict.
 */
function complete(
    reading: Reading<FusionSubmission>,
    sent: number,
    allTests: boolean,
): Reading<FusionSubmission> {
    if (!('value' in reading)) return reading;
    const { tests } = reading.value;
    const compiled = tests[0]?.info.run !== null;
    const enough =
        tests.length === sent || (tests.length > 0 && tests.length < sent && tests.at(-1)?.passed === false);
    if (enough && (!allTests || tests.length === sent || !compiled)) return reading;
    return { broken: `${sent} tests were sent, but the answer has results of ${tests.length}` };
}
