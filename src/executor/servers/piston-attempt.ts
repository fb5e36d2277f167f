import { constants } from 'node:os';
import type { Failure } from '../../model/failure.js';
import { makeTextContent } from '../../model/fingerprint.js';
import { killTime, getMemoryBound } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { CheckOutput } from '../check-output.js';
import type { RanTest } from '../judge-tests.js';
import type { Language } from '../judge/language.js';
import { killMemory, computeWallTime } from '../judge/limits.js';
import { type JudgedLanguage, judgeRun } from '../judge/verdict-policy.js';
import type { RunReport } from '../sandbox/box.js';
import type { Submission } from './attempt.js';
import type { ControlRun, ControlRuns } from './control-runs.js';
import { examineRun } from './examine-run.js';
import type { ServerRun } from './server-run.js';
import { sourceTexts } from './fusion-source.js';
import { hitsDigitLimit, liftDigitLimit } from './int-digits.js';
import { asText, type ByteBudget, readWhole, measureSize } from './load.js';
import type { PistonLanguage } from './piston-languages.js';
import {
    stageAsRun,
    executeRequest,
    type PistonCommand,
    type PistonFile,
    type PistonRun,
    type PistonStage,
    readExecuted,
} from './piston-protocol.js';
import { isJavaNotCompiled, pistonFiles } from './piston-source.js';
import type { EndpointTry, Step } from './session.js';
import { doesVisiblePartAgree } from './visible-part.js';

/** What is known about the endpoints of a Piston fleet. */
export interface PistonFacts {
    /** Names of the languages of each endpoint that was queried. */
    readonly runtimes: Map<string, ReadonlySet<string>>;
    /** By endpoint, the most bytes of output that came back whole, and the fewest that did not. */
    readonly keeps: Map<string, number>;
    readonly refuses: Map<string, number>;
}

export interface PistonAttemptParts {
    readonly submission: Submission;
    readonly language: PistonLanguage;
    /** Our own definition of the language; null if there is none. */
    readonly rules: Language | null;
    readonly files: readonly PistonFile[];
    readonly facts: PistonFacts;
    readonly controls: ControlRuns;
    readonly budget: ByteBudget;
    readonly check: CheckOutput;
}

/** How to judge a language without a definition of its own. */
const PLAIN: JudgedLanguage = { memory: { addressSpace: false, overhead: 0 }, outOfMemory: null };

/** One attempt at a submission. */
export class PistonAttempt {
    readonly #parts: PistonAttemptParts;
    readonly #rules: JudgedLanguage;
    #files: readonly PistonFile[];

    constructor(parts: PistonAttemptParts) {
        this.#parts = parts;
        this.#files = parts.files;
        this.#rules = parts.rules ?? PLAIN;
    }

    /** @param time CPU time limit of the test in seconds */
    async run(test: StagedTest, time: number): Promise<RanTest> {
        const { budget, submission } = this.#parts;
        // Three copies: the text, its JSON and the bytes sent.
        const step = await budget.hold(measureSize(test.input) * 3, async (): Promise<Step<RanTest>> => {
            const stdin = asText(await readWhole(test.input));
            if (stdin !== null)
                return submission.session.step((place) => this.#tryAt(place, test, stdin, time));
            const message = `test ${test.name} is not UTF-8 text, and Piston accepts only UTF-8`;
            return { kind: 'failed', failure: { reason: 'sandbox', message }, retry: false };
        });
        return step.kind === 'done' ? step.value : step;
    }

    async #tryAt(place: EndpointTry, test: StagedTest, stdin: string, time: number): Promise<Step<RanTest>> {
        const missing = this.#missingLanguage(place.endpoint);
        if (missing !== null) return missing;
        const { language, submission } = this.#parts;
        const limits = { ...submission.limits, time };
        let command: PistonCommand = {
            language,
            files: this.#files,
            stdin,
            cpu: killTime(time),
            wall: computeWallTime(time),
            memory: killMemory(limits, this.#rules),
            output: limits.output,
        };
        let step = withRemedy(await place.exchange(executeRequest(command), readExecuted));
        if (step.kind !== 'done') return step;
        const { run } = step.value;
        if (language.name === 'python' && run !== null && hitsDigitLimit(stageAsRun(run))) {
            const lifted = liftDigitLimits(command.files);
            command = { ...command, files: lifted };
            step = withRemedy(await place.exchange(executeRequest(command), readExecuted));
            if (step.kind !== 'done') return step;
            this.#files = lifted;
        }
        const seen = compileApart(step.value, submission.input.language);
        const lost = seen.run === null ? null : await this.#lostOutput(place, command, test, seen.run);
        return lost ?? this.#examined(place, command, { test, seen, time });
    }

    /** Fails without a request if the server lacks the language, so that another one is tried. */
    #missingLanguage(endpoint: string): Step<never> | null {
        const { language, facts, submission } = this.#parts;
        const major = Number.parseInt(language.version, 10);
        const wanted = Number.isNaN(major) ? language.name : `${language.name} ${major}`;
        const lacks = (names: ReadonlySet<string>) => !names.has(wanted);
        const known = facts.runtimes.get(endpoint);
        if (known === undefined || !lacks(known)) return null;
        const message = `${endpoint}: Piston there has no ${wanted} for ${submission.input.language}`;
        const alike = new Set([...facts.runtimes].filter(([, names]) => lacks(names)).map(([name]) => name));
        return { kind: 'failed', failure: { reason: 'sandbox', message }, retry: true, alike };
    }

    /**
     * Finds out whether the program or the server caused the end of the run, and judges it by the same rules as on this machine.
     */
    async #examined(
        place: EndpointTry,
        command: PistonCommand,
        { test, seen, time }: { readonly test: StagedTest; readonly seen: PistonRun; readonly time: number },
    ): Promise<Step<RanTest>> {
        const { submission, controls, check } = this.#parts;
        const { input, sample } = submission;
        const { run } = seen;
        const judged = run === null ? null : this.#judged(run, command, time);
        let isDoubtful = false;
        if (judged === null || judged.run.verdict === 'RuntimeError') {
            const examination = await examineRun(toServerRun(seen), {
                place: { endpoint: place.endpoint, control: this.#control(place, command) },
                controls,
                tag: input.language,
                conditions: `${command.language.name} ${command.memory}`,
                sources: () => sourceTexts(input),
                test,
                checker: sample.checker,
                check,
            });
            if (examination.kind !== 'done') return examination;
            isDoubtful = examination.value.isDoubtful;
        }
        if (judged === null) {
            const { compile } = toServerRun(seen);
            if (compile === null) throw new Error('bug in resume-run: neither compiled nor run');
            const doubt = isDoubtful ? 'machine' : null;
            return { kind: 'done', value: { kind: 'not-compiled', compile, doubt } };
        }
        const doubt = isDoubtful ? 'machine' : judged.run.doubt;
        return { kind: 'done', value: { ...judged, run: { ...judged.run, doubt } } };
    }

    /** Makes control runs with the same request as `command`. */
    #control(place: EndpointTry, command: PistonCommand): ControlRun {
        const tag = this.#parts.submission.input.language;
        return async ({ code, read }) => {
            const files = await pistonFiles({
                language: tag,
                files: [{ name: 'main', content: makeTextContent(code) }],
            });
            return place.exchange(executeRequest({ ...command, files, stdin: '' }), (body) => {
                const reading = readExecuted(body);
                if (!('value' in reading)) return reading;
                const seen = toServerRun(compileApart(reading.value, tag));
                return read === undefined ? { value: seen } : read(seen);
            });
        };
    }

    /**
     * A failure if the server's own output limit, or its way of decoding, would decide the verdict; null if the output is
     * complete.
     */
    async #lostOutput(
        place: EndpointTry,
        command: PistonCommand,
        test: StagedTest,
        run: PistonStage,
    ): Promise<Step<RanTest> | null> {
        const { checker } = this.#parts.submission.sample;
        const cut = run.stdout.indexOf('\uFFFD');
        const visible = Buffer.from(cut < 0 ? run.stdout : run.stdout.slice(0, cut));
        if (run.status === 'EL') {
            return failedAt(
                place.endpoint,
                `stopped the program because of what it wrote to stderr; ${OUTPUT_REMEDY}`,
            );
        }
        if (run.status === 'OL') {
            if (!(await doesVisiblePartAgree(checker, test, visible))) return null;
            const enough = 2 * measureSize(test.answer) + 1024;
            const fits = await this.#keepsOutput(place, command, enough);
            if (fits.kind !== 'done') return fits;
            return fits.value
                ? null
                : failedAt(place.endpoint, `keeps less output than the test needs; ${OUTPUT_REMEDY}`);
        }
        if (cut < 0) return null;
        const { accepted } = await this.#parts.check(checker, test, Buffer.from(run.stdout));
        if (accepted || !(await doesVisiblePartAgree(checker, test, visible))) return null;
        return failedAt(
            place.endpoint,
            'lost a character while decoding the output in pieces, or the program printed invalid UTF-8: judge it with go-judge or on this machine',
        );
    }

    /** Whether the server returns that many bytes, tested with a control program that prints them. */
    async #keepsOutput(place: EndpointTry, command: PistonCommand, bytes: number): Promise<Step<boolean>> {
        const { keeps, refuses, runtimes } = this.#parts.facts;
        const { endpoint } = place;
        if (bytes <= (keeps.get(endpoint) ?? 0)) return { kind: 'done', value: true };
        if (bytes >= (refuses.get(endpoint) ?? Number.POSITIVE_INFINITY))
            return { kind: 'done', value: false };
        // Without Python this cannot be tested: believe that the server cut the output, and fail.
        if (runtimes.get(endpoint)?.has('python 3') === false) return { kind: 'done', value: false };
        const code = `import sys\nsys.stdout.write("x" * ${bytes})\n`;
        const content = makeTextContent(code);
        const files = await pistonFiles({ language: 'PYTHON3', files: [{ name: 'main', content }] });
        const request = executeRequest({
            ...command,
            language: { name: 'python', version: '3.x' },
            files,
            stdin: '',
            output: Math.max(command.output, bytes),
        });
        const step = await place.exchange(request, readExecuted);
        if (step.kind !== 'done') return step;
        const { run } = step.value;
        const fits = run?.status === null && run.stdout.length === bytes;
        if (fits) keeps.set(endpoint, Math.max(bytes, keeps.get(endpoint) ?? 0));
        else refuses.set(endpoint, Math.min(bytes, refuses.get(endpoint) ?? Number.POSITIVE_INFINITY));
        return { kind: 'done', value: fits };
    }

    #judged(run: PistonStage, command: PistonCommand, time: number): RanTest & { readonly kind: 'ran' } {
        const { limits } = this.#parts.submission;
        const report = toReport(run, command.memory ?? getMemoryBound(limits), limits.output);
        const verdict = judgeRun(report, { ...limits, time }, this.#rules);
        return {
            kind: 'ran',
            run: {
                verdict: verdict.verdict,
                doubt: verdict.suspect ?? 'certain',
                nearLimit: verdict.nearLimit,
                cpuTime: run.cpu,
                wallTime: run.wall ?? 0,
                memory: run.memory,
                returnCode: run.code,
                signal: run.code === null ? run.signal : null,
                stdout: report.stdout,
                stderr: run.stderr,
            },
        };
    }
}

const OUTPUT_REMEDY =
    'start the server with a higher PISTON_OUTPUT_MAX_SIZE, name another with --retry-endpoint, or judge by go-judge or on this machine';

function failedAt(endpoint: string, what: string): Step<never> {
    const failure: Failure = { reason: 'endpoint', message: `${endpoint} ${what}`, endpoint };
    // Try the reserve next, because the other servers are mostly set up alike.
    return { kind: 'failed', failure, retry: true, alike: new Set([endpoint]) };
}

/** Adds what to do about a limit above the server's own. */
function withRemedy<T>(step: Step<T>): Step<T> {
    if (step.kind !== 'failed' || !step.failure.message.includes('cannot exceed the configured limit'))
        return step;
    const message =
        `${step.failure.message}. Start the server with higher limits (PISTON_RUN_TIMEOUT, PISTON_RUN_CPU_TIME, ` +
        'PISTON_RUN_MEMORY_LIMIT), or lower --timeout or --memory-limit';
    return { ...step, failure: { ...step.failure, message } };
}

/** Piston compiles Java and Go when it runs them; turns a run that is really a failed compilation into one. */
function compileApart(seen: PistonRun, tag: string): PistonRun {
    const { run } = seen;
    if (run === null || run.code === 0) return seen;
    const isGoError = tag === 'GO' && run.stdout === '' && run.stderr.startsWith('# command-line-arguments');
    return isGoError || (tag === 'JAVA' && isJavaNotCompiled(run)) ? { compile: run, run: null } : seen;
}

/** Lifts the limit in the first file: the main file, or our starter if the main file is binary. */
const liftDigitLimits = ([main, ...beside]: readonly PistonFile[]): readonly PistonFile[] =>
    main === undefined ? beside : [{ ...main, content: liftDigitLimit(main.content) }, ...beside];

const toServerRun = ({ compile, run }: PistonRun): ServerRun => ({
    compile: compile === null ? null : stageAsRun(compile),
    run: run === null ? null : stageAsRun(run),
});

/** The server reports memory in thousands of bytes, rounded down. */
const MEMORY_ROUNDING = 0.98;

/** @param memory bytes at which the server ends the program */
function toReport(run: PistonStage, memory: number, output: number): RunReport {
    const [stdout, stderr] = [Buffer.from(run.stdout), Buffer.from(run.stderr)];
    const isOver = run.status === 'OL' || Math.max(stdout.length, stderr.length) > output;
    const used = run.memory ?? 0;
    const isKilled = run.status === 'SG' && run.signal === 'SIGKILL';
    return {
        startErrno: 0,
        exitCode: run.code,
        signal: run.code === null ? signalNumber(run.signal) : null,
        cpu: run.cpu ?? run.wall ?? 0,
        wall: run.wall ?? 0,
        memory: used,
        limit: isOver
            ? 'output'
            : run.status === 'TO'
              ? 'wall'
              : isKilled && used >= memory * MEMORY_ROUNDING
                ? 'memory'
                : null,
        stdoutBytes: stdout.length,
        stderrBytes: stderr.length,
        stderrFile: null,
        stdout,
        stderr,
        ended: 0,
        pieces: [],
    };
}

function signalNumber(name: string | null): number | null {
    const found = Object.entries(constants.signals).find(([one]) => one === name);
    return found === undefined ? null : found[1];
}
