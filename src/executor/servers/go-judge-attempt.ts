import type { CapturedRun } from '../../model/entry.js';
import { getMemoryBound } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { Suspicion } from '../../model/task.js';
import { COMPILED_HELLO_WORLDS } from '../judge/hello.js';
import type { Language } from '../judge/language.js';
import { buildProgramLimits } from '../judge/limits.js';
import { wrapNamedFiles } from '../judge/named-files.js';
import { judgeRun } from '../judge/verdict-policy.js';
import type { RanTest } from '../judge-tests.js';
import { nameSignal } from '../signal-name.js';
import type { Submission } from './attempt.js';
import type { Fleet } from './fleet.js';
import { buildControl, type ControlConditions, runControl, runImportProbe } from './go-judge-control.js';
import {
    asContents,
    type Built,
    listBuiltFiles,
    compileCommands,
    compileResult,
    describeCompilerEnd,
    refusedResult,
    runArguments,
    type Sources,
} from './go-judge-program.js';
import {
    deleteRequest,
    downloadRequest,
    type GivenFile,
    type GoJudgeCommand,
    type Ran,
    readFileId,
    readRan,
    runRequest,
    uploadRequest,
} from './go-judge-protocol.js';
import { toReport } from './go-judge-report.js';
import { inMendedContainer, runCommand } from './go-judge-run.js';
import { type ServerProblem, ServerTalks, type TalkHost } from './go-judge-talk.js';
import { HELLO_OUTPUT, HELLO_WORLDS } from './hello.js';
import type { LackingEndpoints } from './lacking-endpoints.js';
import { asText, type ByteBudget, readWhole, measureSize } from './load.js';
import { runTrouble } from './machine-trouble.js';
import type { EndpointTry, Step } from './session.js';

export interface GoJudgeAttemptParts {
    readonly submission: Submission;
    readonly language: Language;
    readonly sources: Sources;
    readonly fleet: Fleet;
    /** Limits the test data in memory over all attempts. */
    readonly budget: ByteBudget;
    /** Pairs of endpoint and language that have compiled a hello-world; shared by all attempts. */
    readonly compilers: Set<string>;
    /** Shared, too. */
    readonly lacking: LackingEndpoints;
    /** The problem whose validator runs on the server too; null if outputs are checked here. */
    readonly problem: ServerProblem | null;
}

/** One test at one endpoint. */
interface TestRun {
    readonly place: EndpointTry;
    readonly built: Built;
    readonly test: StagedTest;
    /** Seconds. */
    readonly time: number;
}

/** One attempt at a submission: what was built where, and what must be deleted. */
export class GoJudgeAttempt {
    private built: Built | null = null;
    /** Files that servers keep for this attempt. */
    private kept: { readonly endpoint: string; readonly fileId: string }[] = [];
    private readonly talks: ServerTalks | null;

    constructor(private readonly parts: GoJudgeAttemptParts) {
        this.talks = parts.problem === null ? null : new ServerTalks(parts.problem);
    }

    /** Runs one test, after building the program if necessary. @param time time limit in seconds */
    async run(test: StagedTest, time: number): Promise<RanTest> {
        const { budget, submission } = this.parts;
        const size = measureSize(test.input) + (this.talks === null ? 0 : measureSize(test.answer));
        // Three copies: the text, its JSON and the bytes sent.
        return budget.hold(size * 3, async () => {
            const bytes = await readWhole(test.input);
            const step = await submission.session.step((place) => this.tryAt(place, test, bytes, time));
            return step.kind === 'done' ? step.value : step;
        });
    }

    /** Deletes the files kept on servers. Nobody waits for that, except the fleet before it closes. */
    cleanUp(): void {
        const { fleet } = this.parts;
        for (const { endpoint, fileId } of this.kept) fleet.later(endpoint, deleteRequest(fileId));
        this.kept = [];
        this.built = null;
        this.talks?.forget();
    }

    private async tryAt(
        place: EndpointTry,
        test: StagedTest,
        input: Buffer,
        time: number,
    ): Promise<Step<RanTest>> {
        if (this.built === null || this.built.endpoint !== place.endpoint) {
            const building = await this.build(place);
            if (building.kind !== 'done') return building;
            this.built = building.value;
        }
        const { built } = this;
        if (built.refused !== null)
            return done({ kind: 'not-compiled', compile: built.refused, doubt: built.doubt });
        const ran = await this.runTest({ place, built, test, time }, input);
        // After any failure the next try starts from scratch: a restarted server has lost its files.
        if (ran.kind === 'failed') this.cleanUp();
        return ran;
    }

    private async build(place: EndpointTry): Promise<Step<Built>> {
        const { language, sources } = this.parts;
        const uploading = await this.uploadBinaries(place, sources);
        if (uploading.kind !== 'done') return uploading;
        const uploaded = uploading.value;
        const commands = compileCommands(language, sources, uploaded);
        const { endpoint } = place;
        if (commands.length === 0) {
            const copyIn = { ...asContents(sources.files), ...uploaded };
            return done({ endpoint, copyIn, refused: null, doubt: null });
        }
        let refused: CapturedRun | null = null;
        let doubt: Suspicion | null = null;
        for (const command of commands) {
            const step = await runCommand(place, command);
            if (step.kind !== 'done') return step;
            const ran = step.value;
            this.keep(endpoint, ran);
            const copyIn = listBuiltFiles(language, ran);
            if (ran.status === 'Accepted' && copyIn !== null)
                return done({ endpoint, copyIn, refused: null, doubt: null });
            const ended = describeCompilerEnd(ran, language);
            const isTroubled = doubt === null && ended.doubt !== null;
            const broken = ended.failure ?? (await this.cannotCompile(place, isTroubled));
            if (broken !== null) {
                const failure = { reason: 'compiler', message: `${endpoint}: ${broken}` } as const;
                return { kind: 'failed', failure, retry: true };
            }
            refused ??= refusedResult(ran);
            doubt ??= ended.doubt;
            // The other language standards would run into the same.
            if (ran.status !== 'Nonzero Exit Status') break;
        }
        const lacking = refused === null ? null : await this.refuseMissing(place, refused.stderr);
        if (lacking !== null) return lacking;
        return done({ endpoint, copyIn: {}, refused, doubt });
    }

    /**
     * A CompileError counts only if a hello-world compiles there.
     * @param isTroubled check again, because trouble comes and goes
     */
    private async cannotCompile(place: EndpointTry, isTroubled: boolean): Promise<string | null> {
        const { language, compilers } = this.parts;
        const key = `${place.endpoint} ${language.tag}`;
        const code = COMPILED_HELLO_WORLDS[language.tag];
        if (code === undefined || (compilers.has(key) && !isTroubled)) return null;
        const step = await buildControl(place, this.conditions(), code);
        if (step.kind !== 'done') return 'the hello-world that checks its compiler failed';
        const { compiled } = step.value;
        if (compiled !== null && compiled.status !== 'Accepted') {
            const { stderr, stdout } = compiled;
            const [said = ''] = (stderr.trim() || stdout.trim()).split('\n', 1);
            return `it cannot compile a hello-world in ${language.name}${said === '' ? '' : `: ${said.slice(0, 200)}`}`;
        }
        compilers.add(key);
        return null;
    }

    private async runTest(run: TestRun, input: Buffer): Promise<Step<RanTest>> {
        const { talks } = this;
        const { place, test, time } = run;
        if (talks === null) {
            const given = await this.give(place, input);
            return given.kind === 'done' ? this.runAlone(run, given.value) : given;
        }
        const { language, submission } = this.parts;
        const host: TalkHost = {
            place,
            command: (stdin) => this.command(run, stdin),
            runAlone: (stdin) => this.runAlone(run, stdin),
            conditions: { language, limits: { ...submission.limits, time } },
            give: (bytes) => this.give(place, bytes),
            upload: (sources) => this.uploadBinaries(place, sources),
            keep: (ran) => this.keep(place.endpoint, ran),
            confirm: (ran, judged) => this.confirm(place, ran, judged),
        };
        return talks.run(host, test, input, await readWhole(test.answer));
    }

    private command({ built, time, test }: TestRun, stdin: GivenFile | null): GoJudgeCommand {
        const { language, sources, submission } = this.parts;
        const program = buildProgramLimits({ ...submission.limits, time }, language);
        // The server keeps output in memory that it charges to the program.
        const limits = { ...program, memory: program.memory + 2 * program.output };
        const args = runArguments(language, sources, getMemoryBound(submission.limits), limits.stack);
        return {
            args: wrapNamedFiles(submission.sample.namedFiles, [...args, ...(test.args ?? [])]),
            stdin,
            copyIn: built.copyIn,
            keep: [],
            limits,
        };
    }

    private async runAlone(run: TestRun, stdin: GivenFile): Promise<Step<RanTest>> {
        const { place, time } = run;
        const command = this.command(run, stdin);
        const { limits } = command;
        const step = await runCommand(place, command);
        if (step.kind !== 'done') return step;
        if (!step.value.stdout.includes('\uFFFD'))
            return this.judgedHere(place, step.value, Buffer.from(step.value.stdout), time);
        // JSON cannot carry bytes that are not UTF-8, so run it again and keep the output in a file.
        const keeping = inMendedContainer({ ...command, keep: ['stdout'] });
        const again = await place.exchange(runRequest(keeping), readRan);
        if (again.kind !== 'done') return again;
        this.keep(place.endpoint, again.value);
        const fileId = again.value.fileIds['stdout'];
        if (fileId === undefined)
            return this.judgedHere(place, again.value, Buffer.from(again.value.stdout), time);
        const download = downloadRequest(fileId, limits.output + 1);
        const raw = await place.exchange(download, (body) => ({ value: Buffer.from(body) }));
        return raw.kind === 'done' ? this.judgedHere(place, again.value, raw.value, time) : raw;
    }

    /** Prepares a test's input for the server: in the request, or uploaded if it is not text. */
    private async give(place: EndpointTry, input: Buffer): Promise<Step<GivenFile>> {
        const content = asText(input);
        if (content !== null) return done({ content });
        return this.upload(place, input);
    }

    private async upload(place: EndpointTry, bytes: Buffer): Promise<Step<GivenFile>> {
        const step = await place.exchange(uploadRequest(bytes), readFileId);
        if (step.kind !== 'done') return step;
        this.kept.push({ endpoint: place.endpoint, fileId: step.value });
        return done({ fileId: step.value });
    }

    private async uploadBinaries(place: EndpointTry, { binaries }: Sources): Promise<Step<Built['copyIn']>> {
        const uploaded: Record<string, GivenFile> = {};
        for (const [name, bytes] of Object.entries(binaries)) {
            const step = await this.upload(place, bytes);
            if (step.kind !== 'done') return step;
            uploaded[name] = step.value;
        }
        return done(uploaded);
    }

    private keep(endpoint: string, ran: Ran): void {
        for (const fileId of Object.values(ran.fileIds)) this.kept.push({ endpoint, fileId });
    }

    private async judgedHere(
        place: EndpointTry,
        ran: Ran,
        output: Buffer,
        time: number,
    ): Promise<Step<RanTest>> {
        return this.confirm(place, ran, this.judged(ran, output, time));
    }

    /** Returns the run unless the endpoint may have caused its end. Signs of trouble are checked with a hello-world. */
    private async confirm(place: EndpointTry, ran: Ran, judged: RanTest): Promise<Step<RanTest>> {
        if (judged.kind !== 'ran' || judged.run.verdict !== 'RuntimeError') return done(judged);
        const trouble = runTrouble(compileResult(ran));
        if (trouble === null) return (await this.refuseMissing(place, ran.stderr)) ?? done(judged);
        const well = await this.runHello(place, trouble);
        if (well.kind !== 'done') return well;
        return done({ ...judged, run: { ...judged.run, doubt: 'machine' } });
    }

    /** Refuses a verdict if the program needs something that the endpoint lacks; null otherwise. */
    private refuseMissing(place: EndpointTry, said: string): Promise<Step<never> | null> {
        const { language, lacking, sources } = this.parts;
        return lacking.refuse({
            endpoint: place.endpoint,
            tag: language.tag,
            said,
            sources: async () => [
                ...Object.values(sources.files),
                ...Object.values(sources.binaries).map((bytes) => bytes.toString('latin1')),
            ],
            runProbe: (code) => runImportProbe(place, this.conditions(), code),
        });
    }

    /** Conditions for control programs that run in place of the submission. */
    private conditions(): ControlConditions {
        const { language, submission } = this.parts;
        return { language, limits: submission.limits, keep: (endpoint, ran) => this.keep(endpoint, ran) };
    }

    /** Runs a hello-world under the program's own limits; if that fails, the endpoint is taken out of use for a while. */
    private async runHello(place: EndpointTry, trouble: string): Promise<Step<Ran | null>> {
        const { language } = this.parts;
        const code = HELLO_WORLDS[language.tag === 'PYTHON' ? 'PYTHON3' : language.tag];
        if (code === undefined) return done(null);
        const conditions = this.conditions();
        const building = await buildControl(place, conditions, code);
        if (building.kind !== 'done') return building;
        return runControl(place, conditions, building.value, (body) => {
            const reading = readRan(body);
            if (!('value' in reading)) return reading;
            const { status, stdout } = reading.value;
            if (status === 'Accepted' && stdout.trim() === HELLO_OUTPUT) return reading;
            return { broken: `${trouble}, and a hello-world in ${language.name} does not run there either` };
        });
    }

    /** Converts a run for the test loop, judged by the same rules as on this machine. */
    private judged(ran: Ran, output: Buffer, time: number): RanTest {
        const { language, submission } = this.parts;
        const report = toReport(ran, output);
        // The server stops reading at the limit. What happens to the program after that (it blocks, fails, fills the memory)
        // means nothing.
        const flooded = Math.max(report.stdoutBytes, report.stderrBytes) > submission.limits.output;
        const verdict = flooded ? FLOODED : judgeRun(report, { ...submission.limits, time }, language);
        return {
            kind: 'ran',
            run: {
                verdict: verdict.verdict,
                doubt: verdict.suspect ?? 'certain',
                nearLimit: verdict.nearLimit,
                cpuTime: ran.cpu,
                wallTime: ran.wall,
                memory: report.memory,
                returnCode: report.exitCode,
                signal: report.signal === null ? null : nameSignal(report.signal),
                stdout: output,
                stderr: ran.stderr,
            },
        };
    }
}

const FLOODED = { verdict: 'OutputLimitExceeded', suspect: null, nearLimit: false } as const;

const done = <T>(value: T): Step<T> => ({ kind: 'done', value });
