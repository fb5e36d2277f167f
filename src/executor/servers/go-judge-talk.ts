import type { Limits } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { Comparison } from '../checker/comparison.js';
import { checkAsked, countPasses, type PassEnd } from '../judge/passes.js';
import { judgeInteractorTalk, judgeTalk, type TalkConditions } from '../judge/talk-rules.js';
import { isRuling, readVerdict } from '../judge/validator.js';
import type { RanTest } from '../judge-tests.js';
import type { Built } from './go-judge-program.js';
import {
    downloadRequest,
    type GivenFile,
    type GoJudgeCommand,
    type Ran,
    readRan,
    readTalk,
    runRequest,
    buildTalkRequest,
} from './go-judge-protocol.js';
import { inMendedContainer, mayBeUnreliable } from './go-judge-run.js';
import { toReport } from './go-judge-report.js';
import {
    buildValidator,
    readLeft,
    type ServerValidator,
    buildServerValidatorCommand,
    type ValidatorInput,
} from './go-judge-validator.js';
import type { EndpointTry, Step } from './session.js';

/*
 * Interactive and multi-pass problems on a server: the validator runs there too. In a talk, both programs are in one request, and
 * the server's pipes connect them.
 */

/** A problem whose validator runs on the same server as the submission. */
export interface ServerProblem {
    readonly validator: ServerValidator;
    readonly isInteractive: boolean;
    /** Maximum number of passes; null: one for each test. */
    readonly passes: number | null;
    /** Checks what an interactor wrote. */
    readonly checkWritten: (test: StagedTest, written: Buffer) => Promise<Comparison>;
}

/** What a test needs from its attempt. */
export interface TalkHost {
    readonly place: EndpointTry;
    /** The submission's command for a test; without `stdin` it takes part in a talk. */
    readonly command: (stdin: GivenFile | null) => GoJudgeCommand;
    /** Runs the submission alone. */
    readonly runAlone: (stdin: GivenFile) => Promise<Step<RanTest>>;
    readonly conditions: TalkConditions;
    /** Makes bytes available on the server. */
    readonly give: (bytes: Buffer) => Promise<Step<GivenFile>>;
    readonly upload: (files: ServerValidator['sources']) => Promise<Step<Built['copyIn']>>;
    readonly keep: (ran: Ran) => void;
    /** Checks a run-time error again, because the machine may have caused it. */
    readonly confirm: (ran: Ran, judged: RanTest) => Promise<Step<RanTest>>;
}

/** The validator of one attempt, compiled once per endpoint. */
export class ServerTalks {
    #built: { readonly endpoint: string; readonly copyIn: Built['copyIn'] } | null = null;

    constructor(private readonly problem: ServerProblem) {}

    /** Forgets the files kept on a server. */
    forget(): void {
        this.#built = null;
    }

    /**
     * Runs a test.
     * @throws CheckerError if the validator breaks its convention or does not compile
     */
    async run(host: TalkHost, test: StagedTest, input: Buffer, answer: Buffer): Promise<Step<RanTest>> {
        const { isInteractive, passes } = this.problem;
        const built = await this.#build(host);
        if (built.kind !== 'done') return built;
        const [givenInput, givenAnswer] = [await host.give(input), await host.give(answer)];
        if (givenInput.kind !== 'done') return givenInput;
        if (givenAnswer.kind !== 'done') return givenAnswer;
        let state: GivenFile | null = null;
        let broken: Step<never> | null = null;
        const ran = await countPasses(givenInput.value, passes ?? 1, async (stdin) => {
            const given = { input: stdin, answer: givenAnswer.value, state };
            const pass = { host, test, copyIn: built.value };
            const step = isInteractive ? await this.#talk(pass, given) : await this.#judgeOutput(pass, given);
            if (step.kind !== 'done') {
                broken = step;
                return { ran: { kind: 'abort' }, next: null };
            }
            ({ state } = step.value);
            return step.value;
        });
        return broken ?? { kind: 'done', value: ran };
    }

    async #build(host: TalkHost): Promise<Step<Built['copyIn']>> {
        const { validator } = this.problem;
        const { endpoint } = host.place;
        if (this.#built?.endpoint === endpoint) return { kind: 'done', value: this.#built.copyIn };
        const uploading = await host.upload(validator.sources);
        if (uploading.kind !== 'done') return uploading;
        const building = await buildValidator(host.place, validator, uploading.value, host.keep);
        if (building.kind === 'done') this.#built = { endpoint, copyIn: building.value };
        return building;
    }

    async #talk({ host, test, copyIn }: ServerPass, given: PassInput): Promise<Step<PassOutcome>> {
        const { validator, checkWritten, passes } = this.problem;
        const submission = host.command(null);
        const command = buildServerValidatorCommand(validator, copyIn, test, {
            ...given,
            output: null,
            waits: submission.limits.wall,
        });
        const talk = (first: GoJudgeCommand) =>
            host.place.exchange(buildTalkRequest(first, command), readTalk);
        let step = await talk(submission);
        if (step.kind === 'done' && mayBeUnreliable(step.value.submission)) {
            host.keep(step.value.validator);
            step = await talk(inMendedContainer(submission));
        }
        if (step.kind !== 'done') return step;
        const ended = step.value;
        host.keep(ended.validator);
        const left = readLeft(ended.validator, ended.submission.wall);
        const end = readTalkEnd(ended, left.wasFirst, host.conditions.limits);
        // A single-pass problem has no next pass, whatever its validator leaves.
        const next = passes !== null && isRuling(end.verdict) ? left.next : null;
        if (next !== null) checkAsked(end.verdict);
        if (validator.program.convention === 'kattis') {
            const ran = judgeTalk(host.conditions, end, next === null ? left.said : null);
            return this.#confirmed(host, ended.submission, ran, { ...left, next });
        }
        const written = await this.#download(host, left.written);
        if (written.kind !== 'done') return written;
        const ran = await judgeInteractorTalk(host.conditions, end, left.said, () =>
            checkWritten(test, written.value),
        );
        return this.#confirmed(host, ended.submission, ran, { ...left, next });
    }

    async #confirmed(
        host: TalkHost,
        submission: Ran,
        judged: RanTest,
        { next, state }: Pick<ReturnType<typeof readLeft>, 'next' | 'state'>,
    ): Promise<Step<PassOutcome>> {
        const step = await host.confirm(submission, judged);
        if (step.kind !== 'done') return step;
        const ran = step.value;
        const isOver = ran.kind === 'ran' && ran.run.verdict !== null;
        return { kind: 'done', value: { ran, next: isOver ? null : next, state } };
    }

    async #download(host: TalkHost, fileId: string | null): Promise<Step<Buffer>> {
        if (fileId === null) return { kind: 'done', value: Buffer.alloc(0) };
        const request = downloadRequest(fileId, MAX_WRITTEN_BYTES);
        return host.place.exchange(request, (body) => ({ value: Buffer.from(body) }));
    }

    async #judgeOutput({ host, test, copyIn }: ServerPass, given: PassInput): Promise<Step<PassOutcome>> {
        const { validator } = this.problem;
        const running = await host.runAlone(given.input);
        if (running.kind !== 'done') return running;
        const ran = running.value;
        if (ran.kind !== 'ran' || ran.run.verdict !== null)
            return { kind: 'done', value: { ran, next: null, state: null } };
        const { stdout } = ran.run;
        if (!Buffer.isBuffer(stdout))
            throw new Error('bug in resume-run: what a server printed is in a file');
        const output = await host.give(stdout);
        if (output.kind !== 'done') return output;
        const command = buildServerValidatorCommand(validator, copyIn, test, {
            ...given,
            output: output.value,
            waits: 0,
        });
        const step = await host.place.exchange(runRequest(command), readRan);
        if (step.kind !== 'done') return step;
        host.keep(step.value);
        const { said, next, state } = readLeft(step.value);
        const verdict = toReport(step.value, Buffer.alloc(0));
        if (next !== null && isRuling(verdict)) {
            checkAsked(verdict);
            return { kind: 'done', value: { ran, next, state } };
        }
        const comparison = readVerdict(verdict, said);
        return { kind: 'done', value: { ran: { ...ran, comparison }, next: null, state } };
    }
}

/** Maximum bytes that an interactor may write. */
const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;

interface ServerPass {
    readonly host: TalkHost;
    readonly test: StagedTest;
    readonly copyIn: Built['copyIn'];
}

type PassInput = Pick<ValidatorInput, 'input' | 'answer' | 'state'>;

interface PassOutcome extends PassEnd<GivenFile> {
    readonly state: GivenFile | null;
}

/**
 * Converts both ends to the form used on this machine. Servers do not say when each program printed what, so the validator's
 * output comes first.
 */
function readTalkEnd(
    { submission, validator }: { readonly submission: Ran; readonly validator: Ran },
    validatorWasFirst: boolean,
    limits: Limits,
) {
    const [said, printed] = [Buffer.from(validator.stdout), Buffer.from(submission.stdout)];
    const verdict = { ...toReport(validator, said), pieces: [{ at: 0, bytes: said.length }] };
    const report = { ...toReport(submission, printed), pieces: [{ at: 1, bytes: printed.length }] };
    const flooded = Math.max(printed.length, report.stderrBytes) > limits.output;
    return {
        verdict: { ...verdict, ended: validatorWasFirst ? 0 : 2 },
        submission: { ...report, ended: 1, ...(flooded ? ({ limit: 'output' } as const) : {}) },
    };
}
