import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerOptions } from '../../../src/executor/descriptor.js';
import type { GoJudgeDescriptor } from '../../../src/executor/servers/go-judge-kind.js';
import type { PistonDescriptor } from '../../../src/executor/servers/piston-kind.js';
import type { SandboxFusionDescriptor } from '../../../src/executor/servers/sandbox-fusion-kind.js';
import type { CheckOutput } from '../../../src/executor/check-output.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { Checker, StagedSample } from '../../../src/model/sample.js';
import type { Outcome, Task } from '../../../src/model/task.js';
import { sharedFolder } from '../run-folder.js';

/** Writes a sample as a run would stage it. @returns its folder */
export async function stageSample(
    tests: readonly (readonly [input: string | Buffer, output: string | Buffer])[],
    checker: Checker = { kind: 'tokens' },
    problem: Partial<StagedSample> = {},
): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'rig-stage-'));
    await mkdir(join(folder, 'tests'));
    const staged: StagedSample = {
        id: 'sum',
        checker,
        ...problem,
        tests: await Promise.all(
            tests.map(async ([input, output], index) => {
                const name = `test-${index + 1}`;
                const paths = {
                    input: join(folder, 'tests', `${name}.in`),
                    answer: join(folder, 'tests', `${name}.ans`),
                };
                await writeFile(paths.input, input);
                await writeFile(paths.answer, output);
                return { name, ...paths, checkerFlags: null };
            }),
        ),
    };
    await writeFile(join(folder, 'sample.json'), JSON.stringify(staged));
    return folder;
}

let nextIndex = 0;

/** A task that judges `source`. Limits: 20 s, 512 MiB, 1 MiB. */
export function taskOf(stage: string, language: string, source: string, over: Partial<Task> = {}): Task {
    nextIndex += 1;
    return {
        sample: 'sum',
        group: 'solution',
        index: nextIndex,
        fingerprint: `v1-sha256-${nextIndex}`,
        input: {
            kind: 'program',
            language,
            files: [{ name: 'main', content: makeTextContent(source) }],
            expected: null,
            name: null,
        },
        limits: { time: 20, memory: 512 * 1024 * 1024, output: 1024 * 1024 },
        stage,
        attempt: 1,
        confirmed: [],
        confirming: null,
        settles: true,
        ...over,
    };
}

/** Server options for these addresses. */
function servers(urls: readonly string[], over: Partial<ServerOptions> = {}): ServerOptions {
    const endpoint = (url: string) => ({ url, concurrency: null, rate: null, token: null, headers: {} });
    return {
        endpoints: urls.map(endpoint),
        retryEndpoints: [],
        limits: 'fixed',
        endpointWait: null,
        firstTimeout: null,
        ...over,
    };
}

/** What server descriptors have in common, as far as tests care. */
export const JUDGING = {
    allTests: false,
    keepOutput: 'failed',
    outputLimit: 1024,
    sandbox: 'none',
    includeDirs: [],
    scratch: tmpdir(),
    compileCache: sharedFolder('compiled'),
    python2As3: false,
    adaptWindows: true,
    languages: {},
} as const;

export function fusion(
    urls: readonly string[],
    over: Partial<SandboxFusionDescriptor> = {},
): SandboxFusionDescriptor {
    return {
        kind: 'sandbox-fusion',
        api: 'run_code',
        memoryLimit: null,
        ...JUDGING,
        ...servers(urls),
        ...over,
    };
}

export function goJudge(urls: readonly string[], over: Partial<GoJudgeDescriptor> = {}): GoJudgeDescriptor {
    return { kind: 'go-judge', ...JUDGING, ...servers(urls), ...over };
}

export function piston(urls: readonly string[], over: Partial<PistonDescriptor> = {}): PistonDescriptor {
    return { kind: 'piston', ...JUDGING, ...servers(urls), ...over };
}

/** Compares tokens, which is enough for a rig. */
export const checkTokens: CheckOutput = (_, { answer }, output) => {
    const bytes = Buffer.isBuffer(output) ? output : readFileSync(output.path);
    const tokens = (text: Buffer) => text.toString('latin1').split(/\s+/).filter(Boolean).join(' ');
    const accepted = tokens(bytes) === tokens(readFileSync(answer));
    return { accepted, message: accepted ? null : 'differs' };
};

/** A context for one attempt. */
export function contextOf(signal: AbortSignal = new AbortController().signal): {
    readonly signal: AbortSignal;
    readonly log: (message: string) => void;
} {
    return { signal, log: () => {} };
}

/** `Accepted`, `WrongAnswer`, ..., `suspect no-output`, `failure endpoint`, `abort`. */
export function brief(outcome: Outcome): string {
    switch (outcome.kind) {
        case 'verdict':
            return outcome.suspect === null ? outcome.verdict : `suspect ${outcome.suspect}`;
        case 'failure':
            return `failure ${outcome.failure.reason}`;
        case 'abort':
            return 'abort';
    }
}
