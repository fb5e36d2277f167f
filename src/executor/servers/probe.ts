import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { displayAddress } from '../../endpoint/address.js';
import type { Calibration } from '../../endpoint/calibration.js';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import { makeTextContent } from '../../model/fingerprint.js';
import type { JudgeResult } from '../../model/entry.js';
import type { StagedSample } from '../../model/sample.js';
import type { Outcome, Task } from '../../model/task.js';
import type { Verdict } from '../../model/verdict.js';
import type { EndpointOptions } from '../descriptor.js';
import { SERVER_KINDS } from '../kinds.js';
import { Fleet } from './fleet.js';
import { HELLO_OUTPUT, HELLO_WORLDS } from './hello.js';
import type { ServerExecutor } from './server-executor.js';
import type { SandboxServerKind } from './server-kind.js';

/** Result of probing one endpoint. */
export interface EndpointReport {
    /** Without secrets. */
    readonly endpoint: string;
    readonly reachable: boolean;
    /** Why it cannot be used; null if it can. */
    readonly problem: string | null;
    /** null if unknown. */
    readonly kind: string | null;
    /** The version that it reports; null if it reports none (SandboxFusion). */
    readonly version: string | null;
    /** Seconds taken by the fastest of three small requests: the version, or a hello-world if there is no version. */
    readonly latency: number | null;
    readonly languages: readonly LanguageReport[];
    /** Its best concurrency, and the measurements; null if nothing was measured. Absent if not requested. */
    readonly calibration?: Calibration | null;
}

/** Result of a hello-world. */
interface LanguageReport {
    readonly language: string;
    /** null if it could not be run at all. */
    readonly verdict: Verdict | null;
    /** Why the verdict is not Accepted; null otherwise. */
    readonly problem: string | null;
    /** Seconds, including the compilation and the round trip. */
    readonly duration: number;
}

export interface ProbeOptions {
    /** null: detected by asking. */
    readonly kind: string | null;
    /** Tags to try; null: all that such a server may support. */
    readonly languages: readonly string[] | null;
    readonly signal: AbortSignal;
    /** Called with each endpoint's report as soon as it is ready, in any order. */
    readonly onReport?: (report: EndpointReport) => void;
}

/** Number of endpoints probed at once. */
const AT_ONCE = 16;
/** Time limit of a hello-world in seconds. */
const HELLO_TIME = 20;

/**
 * Asks endpoints what they are, how fast they answer, and what they can run. The reports are in the order of `endpoints`.
 * @throws UserError if a token cannot be read
 */
export async function probeEndpoints(
    endpoints: readonly EndpointOptions[],
    options: ProbeOptions,
): Promise<readonly EndpointReport[]> {
    // Every request in progress listens to it.
    setMaxListeners(0, options.signal);
    const folder = await mkdtemp(join(tmpdir(), 'resume-run-probe-'));
    try {
        await stageHello(folder);
        const reports: EndpointReport[] = [];
        const waiting = [...endpoints.entries()];
        const worker = async () => {
            for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
                const [index, endpoint] = next;
                const report = await probeEndpoint(endpoint, options, folder);
                reports[index] = report;
                options.onReport?.(report);
            }
        };
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, endpoints.length) }, worker));
        return reports;
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

async function probeEndpoint(
    endpoint: EndpointOptions,
    options: ProbeOptions,
    stage: string,
): Promise<EndpointReport> {
    const found = await identify(endpoint, options);
    const about = { endpoint: displayAddress(endpoint.url), version: found.version, latency: found.latency };
    if (found.kind === null) {
        return {
            ...about,
            kind: options.kind,
            reachable: found.reachable,
            problem: found.problem,
            languages: [],
        };
    }
    const executor = await createProbed(found.kind, endpoint, stage);
    const tryLanguage = async (language: string): Promise<LanguageReport> => {
        const started = performance.now();
        const context = { signal: options.signal, log: () => {} };
        const outcome = await executor.run(helloTask(stage, language, HELLO_WORLDS[language] ?? ''), context);
        return { language, ...told(outcome), duration: (performance.now() - started) / 1000 };
    };
    const tags = options.languages ?? (await found.kind.server.languages());
    let languages: readonly LanguageReport[];
    try {
        // Concurrently, as far as the pool allows.
        languages = await Promise.all(tags.filter((tag) => HELLO_WORLDS[tag] !== undefined).map(tryLanguage));
    } finally {
        await executor.close();
    }
    return { ...about, kind: found.kind.name, reachable: true, problem: null, languages };
}

interface Identity {
    /** null if no known kind of server answers there. */
    readonly kind: SandboxServerKind | null;
    readonly reachable: boolean;
    readonly problem: string | null;
    readonly version: string | null;
    readonly latency: number | null;
}

/** Tries the probe of each kind until one gets a valid answer. */
async function identify(endpoint: EndpointOptions, options: ProbeOptions): Promise<Identity> {
    const server = {
        endpoints: [endpoint],
        retryEndpoints: [],
        limits: 'fixed',
        endpointWait: 0,
        firstTimeout: null,
    } as const;
    const fleet = new Fleet(server, 1, () => Promise.resolve({ outcome: 'ok', wait: null, message: '' }));
    const address = displayAddress(endpoint.url);
    const ask = (request: Parameters<Fleet['send']>[1]) => fleet.send(address, request, options.signal);
    try {
        let problem: string | null = null;
        let reachable = false;
        for (const kind of SERVER_KINDS) {
            if (options.kind !== null && options.kind !== kind.name) continue;
            const { outcome, latency } = await timed(() => kind.server.probe(ask));
            if (outcome.outcome === 'ok') {
                const version = outcome.message === '' ? null : outcome.message;
                return { kind, reachable: true, problem: null, version, latency };
            }
            reachable ||= /^HTTP|^the answer/.test(outcome.message);
            problem = outcome.message;
        }
        return { kind: null, reachable, problem, version: null, latency: null };
    } finally {
        await fleet.close();
    }
}

/** Seconds taken by the fastest of three calls, if the first one works at all. */
async function timed(once: () => Promise<ProbeOutcome>): Promise<{ outcome: ProbeOutcome; latency: number }> {
    let latency = Number.POSITIVE_INFINITY;
    let outcome: ProbeOutcome = { outcome: 'abandoned', wait: null, message: 'not asked' };
    for (let time = 0; time < 3; time += 1) {
        const started = performance.now();
        outcome = await once();
        if (outcome.outcome !== 'ok') break;
        latency = Math.min(latency, (performance.now() - started) / 1000);
    }
    return { outcome, latency };
}

function createProbed(
    kind: SandboxServerKind,
    endpoint: EndpointOptions,
    scratch: string,
): Promise<ServerExecutor> {
    return kind.create(
        kind.server.describe({
            endpoints: [endpoint],
            retryEndpoints: [],
            limits: 'fixed',
            endpointWait: 5,
            firstTimeout: null,
            allTests: false,
            keepOutput: 'failed',
            outputLimit: 1024,
            // Nothing runs on this machine.
            sandbox: 'none',
            includeDirs: [],
            scratch,
            compileCache: scratch,
            python2As3: false,
            adaptWindows: true,
            languages: {},
        }),
    );
}

async function stageHello(folder: string): Promise<void> {
    const sample: StagedSample = {
        id: 'hello',
        checker: { kind: 'tokens' },
        tests: [
            { name: 'hello', input: join(folder, 'in'), answer: join(folder, 'ans'), checkerFlags: null },
        ],
    };
    await writeFile(join(folder, 'in'), '');
    await writeFile(join(folder, 'ans'), `${HELLO_OUTPUT}\n`);
    await writeFile(join(folder, 'sample.json'), JSON.stringify(sample));
}

function helloTask(stage: string, language: string, source: string): Task {
    const files = [{ name: 'main', content: makeTextContent(source) }] as const;
    return {
        sample: 'hello',
        group: 'solution',
        index: 0,
        fingerprint: '',
        input: { kind: 'program', language, files, expected: null, name: null },
        limits: { time: HELLO_TIME, memory: 1024 * 1024 * 1024, output: 1024 * 1024 },
        stage,
        attempt: 1,
        confirmed: [],
        confirming: null,
        settles: true,
    };
}

function told(outcome: Outcome): Pick<LanguageReport, 'verdict' | 'problem'> {
    switch (outcome.kind) {
        case 'verdict': {
            const { verdict, result } = outcome;
            if (verdict === 'Accepted') return { verdict, problem: null };
            const said = firstErrorLine(result as JudgeResult);
            return { verdict, problem: `the hello-world got ${verdict}${said === '' ? '' : `: ${said}`}` };
        }
        case 'failure':
            return { verdict: null, problem: outcome.failure.message };
        case 'abort':
            return { verdict: null, problem: 'stopped' };
    }
}

/** First line of what a compiler, or a program that failed, printed. */
function firstErrorLine({ tests }: JudgeResult): string {
    const info = tests.at(-1)?.exec_info;
    const said = [info?.compile_result, info?.run_result].flatMap((one) => [one?.stderr, one?.stdout]);
    const [line = ''] = said.map((text) => text?.trim().split('\n', 1)[0] ?? '').filter(Boolean);
    return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
