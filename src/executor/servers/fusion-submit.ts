import type { StagedTest } from '../../model/sample.js';
import { compilerTrouble } from './compiler.js';
import type { FleetRequest } from './fleet.js';
import { type FusionSubmission, readSubmission } from './fusion-protocol.js';
import {
    ANSWER_SLACK,
    answerBound,
    COMPILE_TIME,
    type FusionAttempt,
    notText,
    ranTest,
} from './fusion-run-code.js';
import { declareUtf8 } from '../judge/source-encoding.js';
import { bytesOf } from './fusion-source.js';
import { asText, readWhole, sizeOf } from './load.js';
import type { Reading, Step } from './session.js';
import type { RanTest } from '../judge-tests.js';

/**
 * Runs all tests by one `/submit`, as the earlier tools did; the server compares. The whole answer is fetched when the first
 * test is asked for.
 */
export function submittedTests(attempt: FusionAttempt): (test: StagedTest, time: number) => Promise<RanTest> {
    const { task, sample, limits } = attempt.submission;
    const sent = sample.tests.slice(task.confirmed.length);
    let answer: Promise<Step<FusionSubmission>> | null = null;
    let first = 0;
    return async (test, time) => {
        answer ??= submit(attempt, sent, time);
        const step = await answer;
        if (step.kind !== 'done') return step;
        const tested = step.value.tests[first];
        first += 1;
        if (tested === undefined) throw new Error(`bug in resume-run: no answer for test ${test.name}`);
        const ran = ranTest(tested.info, limits, time);
        const comparison = { accepted: tested.passed, message: null };
        return ran.kind === 'ran' ? { ...ran, comparison } : ran;
    };
}

async function submit(
    attempt: FusionAttempt,
    tests: readonly StagedTest[],
    time: number,
): Promise<Step<FusionSubmission>> {
    const { submission, language, budget, allTests } = attempt;
    const { session, limits, input, sample } = submission;
    const bytes = tests.reduce((sum, test) => sum + sizeOf(test.input) + sizeOf(test.answer), 0);
    return budget.hold(bytes * 3, async () => {
        const loaded: { input: string; output: string }[] = [];
        for (const test of tests) {
            const stdin = asText(await readWhole(test.input));
            const output = asText(await readWhole(test.answer));
            if (stdin === null || output === null) return { ...notText(test.name), retry: false };
            loaded.push({ input: stdin, output });
        }
        const text = (await bytesOf(input.files[0].content)).toString('utf8');
        const code = declareUtf8(text, input.language);
        if (code.includes('```')) {
            const message =
                'the source holds ```, which ends it too early in a /submit request; use run_code';
            return { kind: 'failed', failure: { reason: 'sandbox', message }, retry: false };
        }
        return session.step(async (place) => {
            const request = submitRequest({ language, code, id: sample.id, tests: loaded, time, allTests });
            const maxAnswer = answerBound(limits.output) + bytes * 2;
            const step = await place.exchange({ ...request, maxAnswer }, (body) =>
                complete(readSubmission(body), tests.length, allTests),
            );
            const compile = step.kind === 'done' ? step.value.tests[0]?.info.compile : null;
            const trouble =
                step.kind === 'done' && step.value.tests[0]?.info.run === null && compile
                    ? compilerTrouble(compile)
                    : null;
            if (trouble === null) return step;
            return {
                kind: 'failed',
                failure: { reason: 'compiler', message: `${place.endpoint}: ${trouble}` },
                retry: true,
            };
        });
    });
}

/** The answer must tell of every test, or of all up to the first that is not passed. */
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
    return { broken: `${sent} tests were sent, the answer tells of ${tests.length}` };
}

export interface Submit {
    readonly language: string;
    readonly code: string;
    readonly id: string;
    readonly tests: readonly { readonly input: string; readonly output: string }[];
    /** Seconds for each test. */
    readonly time: number;
    readonly allTests: boolean;
}

export function submitRequest(submit: Submit): FleetRequest {
    const body = {
        dataset: 'resume-run',
        id: submit.id,
        completion: `\`\`\`${submit.language}\n${submit.code}\n\`\`\``,
        config: {
            dataset_type: 'CommonOJDataset',
            language: submit.language,
            locale: 'en',
            compile_timeout: COMPILE_TIME,
            run_timeout: submit.time,
            provided_data: {
                id: submit.id,
                content: '',
                test: submit.tests.map(({ input, output }) => ({
                    input: { stdin: input },
                    output: { stdout: output },
                })),
                labels: {},
                canonical_solution: {},
            },
            extra: { run_all_cases: submit.allTests },
        },
    };
    return {
        method: 'POST',
        path: '/submit',
        body: JSON.stringify(body),
        timeout: COMPILE_TIME + submit.time * Math.max(1, submit.tests.length) + ANSWER_SLACK,
        maxAnswer: answerBound(0),
    };
}
