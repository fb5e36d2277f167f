import type { ProbeOutcome } from '../../endpoint/pool.js';
import { unreachable } from '../../util/unreachable.js';
import { buildLanguageTable } from '../judge/languages.js';
import type { SandboxFusionDescriptor } from './sandbox-fusion-kind.js';
import { Attempts, type Submission } from './attempt.js';
import { type Ask, Fleet } from './fleet.js';
import { ControlRuns } from './control-runs.js';
import { toFusionLanguage } from './fusion-languages.js';
import type { ServerRun } from './server-run.js';
import { controlRun, runCodeTests } from './fusion-run-code.js';
import { isMainClass } from './fusion-source.js';
import { controlSubmission, makeSubmittedTests } from './fusion-submit.js';
import { HELLO_OUTPUT, HELLO_WORLDS } from './hello.js';
import { LocalCheck } from './local-check.js';
import { ByteBudget, LOAD_BUDGET } from './load.js';
import type { ServerExecutor, ServerParts } from './server-executor.js';
import { type EndpointTry, type Reading, type Step, describeReadingProblem } from './session.js';
import { type Judged, judgeTests } from '../judge-tests.js';

/**
 * Concurrent requests if the user gives no number and none was calibrated: one. These servers measure only wall time, so programs
 * that crowd a server slow each other down until they time out, and the server never reports that it is overloaded.
 */
const DEFAULT_CONCURRENCY = 1;

/** Seconds that a hello-world may run in a probe, and seconds allowed for its answer. */
const PROBE_TIME = 10;
const PROBE_ANSWER = 30;

/**
 * Judges on SandboxFusion servers.
 * @throws UserError if a token cannot be read
 */
export function createSandboxFusion(
    descriptor: SandboxFusionDescriptor,
    parts: ServerParts = {},
): ServerExecutor {
    const { languages: overrides, python2As3, memoryLimit, allTests } = descriptor;
    const controls = new ControlRuns((message) => parts.hooks?.warned?.(message));
    const fleet = new Fleet(
        descriptor,
        DEFAULT_CONCURRENCY,
        (ask, _signal, address) => probeFusion(ask, descriptor, { address, controls }),
        parts.hooks,
        (ask, address) => probeFusion(ask, descriptor, { address, controls }),
    );
    const budget = new ByteBudget(LOAD_BUDGET);
    const table = buildLanguageTable({ overrides, python2As3 });
    const local = new LocalCheck(descriptor);
    const check = parts.check ?? local.check;
    const judge = async (submission: Submission): Promise<Judged> => {
        const { task, limits, sample, input } = submission;
        const language = toFusionLanguage(input.language, descriptor.api, python2As3);
        if (language === null) {
            const message = `SandboxFusion does not support ${input.language}`;
            return { kind: 'failed', failure: { reason: 'sandbox', message } };
        }
        // `/submit` compiles Main.java and runs Main, and takes no additional files.
        const submits = descriptor.api === 'submit' && (language !== 'java' || (await isMainClass(input)));
        const outOfMemory = table.get(input.language)?.outOfMemory ?? null;
        const attempt = { submission, language, budget, controls, check, allTests, memoryLimit, outOfMemory };
        return judgeTests({
            task,
            limits,
            sample,
            options: descriptor,
            firstTimeout: descriptor.firstTimeout,
            check,
            grade: local.grade,
            run: submits ? makeSubmittedTests(attempt) : runCodeTests(attempt),
        });
    };
    return new Attempts(fleet, descriptor.adaptWindows, parts).executor(judge, local);
}

/** Where a probe records that its endpoint takes no memory limit. */
interface ProbeNotes {
    readonly address: string;
    readonly controls: ControlRuns;
}

/**
 * Runs a hello-world with the same call as the run, and with its memory limit. @param notes null: do not try again without a
 * memory limit
 */
export async function probeFusion(
    ask: Ask,
    { api, memoryLimit }: Pick<SandboxFusionDescriptor, 'api' | 'memoryLimit'>,
    notes: ProbeNotes | null,
): Promise<ProbeOutcome> {
    const limited = api === 'run_code' && notes?.controls.takesMemoryLimit(notes.address) !== false;
    const first = await probeUnder(limited ? memoryLimit : null, ask, api);
    if (first.outcome !== 'broken' || !limited || memoryLimit === null || notes === null) return first;
    const second = await probeUnder(null, ask, api);
    if (second.outcome === 'ok') {
        notes.controls.sendNoMemoryLimit(
            notes.address,
            `a hello-world fails under the memory limit (${first.message})`,
        );
    }
    return second;
}

async function probeUnder(
    memory: number | null,
    ask: Ask,
    api: SandboxFusionDescriptor['api'],
): Promise<ProbeOutcome> {
    let outcome: ProbeOutcome = { outcome: 'abandoned', wait: null, message: 'stopped' };
    const place: Pick<EndpointTry, 'exchange'> = {
        exchange: async (request, read) => {
            const answer = await ask({ ...request, timeout: PROBE_ANSWER });
            switch (answer.kind) {
                case 'aborted':
                    return { kind: 'abort' };
                case 'failure':
                    outcome = answer;
                    return CONTROL_FAILED;
                case 'answer': {
                    const reading = read(answer.body);
                    outcome = toProbeOutcome(reading);
                    return 'value' in reading ? { kind: 'done', value: reading.value } : CONTROL_FAILED;
                }
                default:
                    return unreachable(answer, 'answer');
            }
        },
    };
    const code = HELLO_WORLDS['PYTHON3'] ?? '';
    const shared = { language: 'python', time: PROBE_TIME, output: 0 };
    const control =
        api === 'run_code'
            ? controlRun(place, { ...shared, memory, source: { code, files: {} }, stdin: '' })
            : controlSubmission(place, { ...shared, code, id: 'probe', tests: [], allTests: true });
    await control({ code, read: saysHello });
    return outcome;
}

const CONTROL_FAILED: Step<never> = {
    kind: 'failed',
    failure: { reason: 'sandbox', message: 'the probe failed' },
    retry: false,
};

function toProbeOutcome(reading: Reading<unknown>): ProbeOutcome {
    if ('value' in reading) return { outcome: 'ok', wait: null, message: '' };
    return { outcome: 'broken', wait: null, message: describeReadingProblem(reading) };
}

const saysHello = (seen: ServerRun): Reading<ServerRun> =>
    seen.run?.stdout.trim() === HELLO_OUTPUT
        ? { value: seen }
        : { broken: 'a hello-world in python did not say hello' };
