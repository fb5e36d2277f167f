import type { HttpAnswer } from '../../endpoint/http.js';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import type { SandboxFusionDescriptor } from './sandbox-fusion-kind.js';
import { Attempts, type Submission } from './attempt.js';
import { Fleet } from './fleet.js';
import { fusionLanguage } from './fusion-languages.js';
import { type FusionRun, readRunCode, readSubmission } from './fusion-protocol.js';
import { runCodeRequest, runCodeTests } from './fusion-run-code.js';
import { submitRequest, submittedTests } from './fusion-submit.js';
import { HELLO, HELLO_WORLDS } from './hello.js';
import { LocalCheck } from './local-check.js';
import { ByteBudget, LOAD_BUDGET } from './load.js';
import type { ServerExecutor, ServerParts } from './server-executor.js';
import { type Reading, whyNot } from './session.js';
import { type Judged, judgeTests } from '../judge-tests.js';

/**
 * Requests at once where the user names no number: one. These servers measure wall time alone, so that two programs at once
 * on one of them would slow each other into a time-out.
 */
const DEFAULT_CONCURRENCY = 1;

/** Seconds that a hello-world gets in a probe, and that its answer gets. */
const PROBE_TIME = 10;
const PROBE_ANSWER = 30;

/**
 * Judges on SandboxFusion servers.
 * @throws UserError when a token cannot be read
 */
export function createSandboxFusion(
    descriptor: SandboxFusionDescriptor,
    parts: ServerParts = {},
): ServerExecutor {
    const fleet = new Fleet(
        descriptor,
        DEFAULT_CONCURRENCY,
        (ask) => probeFusion(ask, descriptor.api),
        parts.hooks,
    );
    const budget = new ByteBudget(LOAD_BUDGET);
    const compilers = new Set<string>();
    const local = new LocalCheck(descriptor);
    const check = parts.check ?? local.check;
    const judge = (submission: Submission): Promise<Judged> => {
        const { task, limits, sample } = submission;
        const language = fusionLanguage(submission.input.language, descriptor.api, descriptor.python2As3);
        if (language === null) {
            const message = `SandboxFusion runs no ${submission.input.language}`;
            return Promise.resolve({ kind: 'failed', failure: { reason: 'sandbox', message } });
        }
        const tests = descriptor.api === 'run_code' ? runCodeTests : submittedTests;
        return judgeTests({
            task,
            limits,
            sample,
            options: descriptor,
            firstTimeout: descriptor.firstTimeout,
            check,
            run: tests({ submission, language, budget, compilers, allTests: descriptor.allTests }),
        });
    };
    return new Attempts(fleet).executor(judge, local);
}

/** Runs a hello-world by the very call that the run uses. */
export async function probeFusion(
    ask: (request: ReturnType<typeof runCodeRequest>) => Promise<HttpAnswer>,
    api: SandboxFusionDescriptor['api'],
): Promise<ProbeOutcome> {
    const hello = { code: HELLO_WORLDS['PYTHON3'] ?? '', files: {} };
    const request =
        api === 'run_code'
            ? runCodeRequest({ language: 'python', source: hello, stdin: '', time: PROBE_TIME, memory: null })
            : submitRequest({
                  language: 'python',
                  code: hello.code,
                  id: 'probe',
                  tests: [{ input: '', output: `${HELLO}\n` }],
                  time: PROBE_TIME,
                  allTests: true,
              });
    const answer = await ask({ ...request, timeout: PROBE_ANSWER });
    switch (answer.kind) {
        case 'aborted':
            return { outcome: 'abandoned', wait: null, message: 'stopped' };
        case 'failure':
            return answer;
        case 'answer': {
            const reading =
                api === 'run_code' ? readRunCode(answer.body) : firstRun(readSubmission(answer.body));
            if (!('value' in reading)) return { outcome: 'broken', wait: null, message: whyNot(reading) };
            const said = reading.value.run?.stdout.trim();
            if (said === HELLO) return { outcome: 'ok', wait: null, message: '' };
            return { outcome: 'broken', wait: null, message: 'a hello-world in python did not say hello' };
        }
    }
}

function firstRun(reading: ReturnType<typeof readSubmission>): Reading<FusionRun> {
    if (!('value' in reading)) return reading;
    const first = reading.value.tests[0];
    return first === undefined ? { broken: 'no test was run' } : { value: first.info };
}
