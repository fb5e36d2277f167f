import type { CapturedRun } from '../../model/entry.js';
import type { ServerRun } from './server-run.js';
import { HELLO_OUTPUT, HELLO_WORLDS } from './hello.js';
import { LackingEndpoints } from './lacking-endpoints.js';
import type { Reading, Step } from './session.js';

/** One of our own programs, run in place of a submission. */
export interface ControlProgram {
    /** The server's name for its language; absent: the submission's language. */
    readonly language?: string;
    readonly code: string;
    /** Time limit in seconds; absent: that of the submission. */
    readonly atMost?: number;
    /** Examines the run; `broken` takes the endpoint out of use for a while. */
    readonly read?: (run: ServerRun) => Reading<ServerRun>;
}

/** Runs it on the endpoint with the same request as the submission, except for source and input. */
export type ControlRun = (program: ControlProgram) => Promise<Step<ServerRun>>;

/** An endpoint and a way to run our own programs there. */
export interface ControlledPlace {
    readonly endpoint: string;
    readonly control: ControlRun;
}

/** What is known about an endpoint that loses output. Units are bytes. */
export interface OutputLoss {
    /** How much of the probe's output arrived. */
    readonly came: number;
    /** Outputs shorter than this arrive complete. */
    readonly from: number;
}

/** Bytes of output from which an endpoint may lose some: the capacity of a pipe. */
export const MIN_LOSS_BYTES = 65_536;

/** SandboxFusion always reads at least this much before it stops. */
const NEVER_LOST_BELOW = 131_072;

const PROBE_BYTES = 300 * 1024;
const PROBE_LINE = '0123456789abcde\n';
const OUTPUT_PROBE = `import sys\nsys.stdout.write(${JSON.stringify(PROBE_LINE)} * ${PROBE_BYTES / PROBE_LINE.length})\n`;
/** Seconds: on a server that does not read, the probe uses all of its time. */
const PROBE_TIME = 20;

/**
 * Results of control runs on the endpoints of a fleet, each determined once: whether compilers work, outputs arrive complete, and
 * memory limits can be set. A control run has the same conditions as the run that it vouches for: call, language, memory limit.
 */
export class ControlRuns {
    readonly #compilers = new Set<string>();
    readonly #losses = new Map<string, Promise<Step<OutputLoss | null>>>();
    readonly #lossy = new Set<string>();
    /** Modules and headers that endpoints lack. */
    readonly lacking = new LackingEndpoints();
    readonly #unlimited = new Set<string>();
    readonly #warned = new Set<string>();

    /** @param tell shows a line to the user */
    constructor(private readonly tell: (message: string) => void) {}

    /** Endpoints that are known to lose output. */
    get lossy(): ReadonlySet<string> {
        return this.#lossy;
    }

    /** Shows each message only once. */
    warn(message: string): void {
        if (this.#warned.has(message)) return;
        this.#warned.add(message);
        this.tell(message);
    }

    /** Whether a memory limit may be sent to the endpoint. */
    takesMemoryLimit(endpoint: string): boolean {
        return !this.#unlimited.has(endpoint);
    }

    /** From now on, no memory limit is sent to the endpoint. */
    sendNoMemoryLimit(endpoint: string, why: string): void {
        this.#unlimited.add(endpoint);
        this.warn(`${endpoint}: ${why}; programs run there without --memory-limit`);
    }

    /**
     * Why an endpoint's CompileErrors cannot be trusted; null if a hello-world compiles.
     * @param conditions what the answer depends on besides the endpoint: language, memory limit
     * @param isTroubled ignores earlier results, because trouble comes and goes
     */
    async cannotCompile(
        place: ControlledPlace,
        tag: string,
        conditions: string,
        isTroubled: boolean,
    ): Promise<string | null> {
        const key = `${place.endpoint} ${conditions}`;
        const code = helloWorld(tag);
        if (code === null || (this.#compilers.has(key) && !isTroubled)) return null;
        const step = await place.control({ code });
        if (step.kind !== 'done') return 'the hello-world that checks its compiler failed';
        const { run, compile } = step.value;
        if (run === null) return `it cannot compile a hello-world in ${tag}${firstWords(compile)}`;
        this.#compilers.add(key);
        return null;
    }

    /**
     * Runs a hello-world after a program ended in a way that suggests trouble on the machine: `done` if the machine is healthy.
     * Repeated each time, because such trouble comes and goes.
     */
    async passesControl(place: ControlledPlace, tag: string, trouble: string): Promise<Step<ServerRun>> {
        const code = helloWorld(tag);
        if (code === null) return { kind: 'done', value: { compile: null, run: null } };
        return place.control({
            code,
            read: (seen) =>
                seen.run?.return_code === 0 && seen.run.stdout.trim() === HELLO_OUTPUT
                    ? { value: seen }
                    : { broken: `${trouble}, and a hello-world in ${tag} does not run there either` },
        });
    }

    /** How the endpoint loses long outputs; null if it does not. Determined once. */
    async outputLoss(place: ControlledPlace): Promise<Step<OutputLoss | null>> {
        const { endpoint } = place;
        const asked = await this.#losses.get(endpoint);
        // An earlier caller may have been stopped.
        if (asked?.kind === 'done') return asked;
        const asking = probeOutput(place);
        this.#losses.set(endpoint, asking);
        const step = await asking;
        if (step.kind === 'done' && step.value !== null) this.#lossy.add(endpoint);
        return step;
    }
}

/** The first line of a compiler's message; some compilers write to stdout. */
function firstWords(compile: CapturedRun | null): string {
    const [line = ''] = (compile?.stderr.trim() || compile?.stdout.trim() || '').split('\n', 1);
    return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

/** A hello-world for a language tag; null if there is none. Python 2 programs are sent as Python 3. */
const helloWorld = (tag: string): string | null => HELLO_WORLDS[tag === 'PYTHON' ? 'PYTHON3' : tag] ?? null;

async function probeOutput(place: ControlledPlace): Promise<Step<OutputLoss | null>> {
    const step = await place.control({ language: 'python', code: OUTPUT_PROBE, atMost: PROBE_TIME });
    if (step.kind !== 'done') return step;
    const { run } = step.value;
    const came = Buffer.byteLength(run?.stdout ?? '');
    if (came === PROBE_BYTES) return { kind: 'done', value: null };
    // Almost no output means that the program did not get to run, not that output was lost.
    if (run === null || came < 4096) {
        const message = `${place.endpoint}: the probe for lost output did not run`;
        const failure = { reason: 'endpoint', message, endpoint: place.endpoint } as const;
        return { kind: 'failed', failure, retry: true };
    }
    return { kind: 'done', value: { came, from: Math.min(NEVER_LOST_BELOW, came) } };
}

/** Describes the loss and what to do about it. */
export const describeLoss = (endpoint: string, { came }: OutputLoss): string =>
    `${endpoint} loses output: a probe printed ${PROBE_BYTES} bytes, and ${came} arrived. ` +
    'Use an endpoint without this problem (--retry-endpoint, or the fork of SandboxFusion that reads while programs run), or judge with go-judge or on this machine';
