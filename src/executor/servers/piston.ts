import type { ProbeOutcome } from '../../endpoint/pool.js';
import { makeTextContent } from '../../model/fingerprint.js';
import { unreachable } from '../../util/unreachable.js';
import { type Judged, judgeTests } from '../judge-tests.js';
import { buildLanguageTable } from '../judge/languages.js';
import { Attempts, type Submission } from './attempt.js';
import { type Ask, Fleet, type FleetRequest } from './fleet.js';
import { ControlRuns } from './control-runs.js';
import { HELLO_OUTPUT, HELLO_WORLDS } from './hello.js';
import { LocalCheck } from './local-check.js';
import { ByteBudget, LOAD_BUDGET } from './load.js';
import { PistonAttempt, type PistonFacts } from './piston-attempt.js';
import type { PistonDescriptor } from './piston-kind.js';
import { pistonLanguage } from './piston-languages.js';
import { executeRequest, readExecuted, readRuntimes, RUNTIMES_REQUEST } from './piston-protocol.js';
import { pistonFiles } from './piston-source.js';
import type { ServerExecutor, ServerParts } from './server-executor.js';
import { type Reading, describeReadingProblem } from './session.js';

/** Concurrent requests if the user gives no number and none was calibrated: these servers queue any excess. */
const DEFAULT_CONCURRENCY = 1;

/**
 * Judges on Piston servers: each test is one request, which compiles again.
 * @throws UserError if a token cannot be read
 */
export function createPiston(descriptor: PistonDescriptor, parts: ServerParts = {}): ServerExecutor {
    const { languages: overrides, python2As3 } = descriptor;
    const facts: PistonFacts = { runtimes: new Map(), keeps: new Map(), refuses: new Map() };
    const controls = new ControlRuns((message) => parts.hooks?.warned?.(message));
    const fleet = new Fleet(
        descriptor,
        DEFAULT_CONCURRENCY,
        (ask, _signal, address) => probePiston(ask, (names) => facts.runtimes.set(address, names)),
        parts.hooks,
        runPistonHello,
    );
    const budget = new ByteBudget(LOAD_BUDGET);
    const table = buildLanguageTable({ overrides, python2As3 });
    const local = new LocalCheck(descriptor);
    const check = parts.check ?? local.check;
    const judge = async (submission: Submission): Promise<Judged> => {
        const { task, limits, sample, input } = submission;
        const language = pistonLanguage(input.language, python2As3);
        if (language === null) {
            const message = `Piston does not support ${input.language}`;
            return { kind: 'failed', failure: { reason: 'sandbox', message } };
        }
        const rules = table.get(input.language) ?? null;
        const files = await pistonFiles(input);
        const attempt = new PistonAttempt({
            submission,
            language,
            rules,
            files,
            facts,
            controls,
            budget,
            check,
        });
        return judgeTests({
            task,
            limits,
            sample,
            options: descriptor,
            firstTimeout: descriptor.firstTimeout,
            check,
            grade: local.grade,
            run: (test, time) => attempt.run(test, time),
        });
    };
    return new Attempts(fleet, descriptor.adaptWindows, parts).executor(judge, local);
}

/** Asks for the available languages. @param note called with their names */
export async function probePiston(
    ask: Ask,
    note: (names: ReadonlySet<string>) => void = () => {},
): Promise<ProbeOutcome> {
    return askOnce(ask, RUNTIMES_REQUEST, (body) => {
        const reading = readRuntimes(body);
        if ('value' in reading) note(reading.value);
        return reading;
    });
}

/** Runs a hello-world in Python under the server's own limits. */
export async function runPistonHello(ask: Ask): Promise<ProbeOutcome> {
    const code = HELLO_WORLDS['PYTHON3'] ?? '';
    const files = await pistonFiles({
        language: 'PYTHON3',
        files: [{ name: 'main', content: makeTextContent(code) }],
    });
    const language = { name: 'python', version: '3.x' };
    const request = executeRequest({
        language,
        files,
        stdin: '',
        cpu: null,
        wall: null,
        memory: null,
        output: 65_536,
    });
    return askOnce(ask, request, (body) => {
        const reading = readExecuted(body);
        if (!('value' in reading)) return reading;
        const hasSaidHello = reading.value.run?.stdout.trim() === HELLO_OUTPUT;
        return hasSaidHello ? reading : { broken: 'a hello-world in python did not say hello' };
    });
}

async function askOnce(
    ask: Ask,
    request: FleetRequest,
    read: (body: Buffer) => Reading<unknown>,
): Promise<ProbeOutcome> {
    const answer = await ask(request);
    switch (answer.kind) {
        case 'aborted':
            return { outcome: 'abandoned', wait: null, message: 'stopped' };
        case 'failure':
            return answer;
        case 'answer': {
            const reading = read(answer.body);
            if ('value' in reading) return { outcome: 'ok', wait: null, message: '' };
            return { outcome: 'broken', wait: null, message: describeReadingProblem(reading) };
        }
        default:
            return unreachable(answer, 'answer');
    }
}
