import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxKind } from '../../../src/executor/descriptor.js';
import type { JudgeDescriptor } from '../../../src/executor/judge/judge-kind.js';
import type { Executor } from '../../../src/executor/executor.js';
import { createJudge } from '../../../src/executor/judge/judge.js';
import type { RunLimits } from '../../../src/executor/sandbox/wire.js';
import type { JudgeResult, TestResult } from '../../../src/model/entry.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { Limits } from '../../../src/model/limits.js';
import type { Checker, StagedSample, StagedTest } from '../../../src/model/sample.js';
import type { Outcome, Suspicion, Task } from '../../../src/model/task.js';
import { sharedFolder } from '../../rig/run-folder.js';

export interface Case {
    readonly language: string;
    readonly preferred?: string;
    readonly settles?: boolean;
    readonly source: string;
    /** Name of the main file; the language's default if missing. */
    readonly file?: string;
    readonly files?: readonly { readonly name: string; readonly text: string }[];
    readonly tests?: readonly (readonly [input: string, output: string])[];
    /** Mode of the files with the tests' inputs. */
    readonly inputMode?: number;
    readonly checker?: Checker;
    /** What each test has beside its input and output, in the order of `tests`. */
    readonly given?: readonly Pick<StagedTest, 'args' | 'files' | 'staticFlags'>[];
    /** What the problem has beside tests and checker. */
    readonly problem?: Omit<Partial<StagedSample>, 'id' | 'tests' | 'checker'>;
    readonly limits?: Partial<Limits>;
    readonly confirmed?: readonly TestResult[];
    readonly confirming?: Suspicion;
    readonly flags?: readonly string[];
}

/** `Accepted`, `TimeLimitExceeded (near-time)`, `failure sandbox: it broke`. */
export function inWords(outcome: Outcome): string {
    switch (outcome.kind) {
        case 'verdict':
            return outcome.suspect === null ? outcome.verdict : `${outcome.verdict} (${outcome.suspect})`;
        case 'failure':
            return `failure ${outcome.failure.reason}: ${outcome.failure.message}`;
        case 'abort':
            return 'abort';
    }
}

/** Everything that the program of the failed test printed. */
export function printed(outcome: Outcome): string {
    if (outcome.kind !== 'verdict') return '';
    return (outcome.result as JudgeResult).tests
        .map(({ exec_info: { run_result: run } }) => `${run?.stdout ?? ''}${run?.stderr ?? ''}`)
        .join('');
}

const MIB = 1024 * 1024;

/** A judge with its own scratch folders and the stages that tasks need. */
export class JudgeRig {
    readonly folder = mkdtempSync(join(tmpdir(), 'judge-test-'));
    #judge: Promise<Executor> | null = null;
    #serial = 0;

    constructor(
        readonly sandbox: SandboxKind,
        readonly options: Partial<JudgeDescriptor> = {},
        readonly compileLimits?: RunLimits,
    ) {
        for (const name of ['scratch', 'stage']) mkdirSync(join(this.folder, name), { mode: 0o700 });
    }

    get judge(): Promise<Executor> {
        this.#judge ??= createJudge(
            {
                kind: 'judge',
                sandbox: this.sandbox,
                includeDirs: [],
                scratch: join(this.folder, 'scratch'),
                // Test files share compiled programs, because compilation does not depend on the sandbox.
                compileCache: sharedFolder('compiled'),
                python2As3: false,
                adaptWindows: true,
                languages: {},
                allTests: false,
                keepOutput: 'all',
                outputLimit: 1024,
                ...this.options,
            },
            this.compileLimits,
        );
        return this.#judge;
    }

    task(one: Case): Task {
        const stage = join(this.folder, 'stage', String(++this.#serial));
        mkdirSync(stage, { mode: 0o700 });
        const tests = (one.tests ?? [['', '']]).map(([input, output], i) => {
            const paths = { input: join(stage, `${i}.in`), answer: join(stage, `${i}.ans`) };
            writeFileSync(paths.input, input, { mode: one.inputMode ?? 0o600 });
            writeFileSync(paths.answer, output, { mode: 0o600 });
            return { name: `test-${i + 1}`, ...paths, checkerFlags: one.flags ?? null, ...one.given?.[i] };
        });
        const sample: StagedSample = {
            id: 'sample',
            tests,
            checker: one.checker ?? { kind: 'tokens' },
            ...one.problem,
        };
        writeFileSync(join(stage, 'sample.json'), JSON.stringify(sample));
        const main = { name: one.file ?? '', content: makeTextContent(one.source) };
        const rest = (one.files ?? []).map(({ name, text }) => ({ name, content: makeTextContent(text) }));
        return {
            sample: 'sample',
            group: 'solution',
            index: this.#serial,
            fingerprint: 'v1-sha256-test',
            input: {
                kind: 'program',
                language: one.language,
                ...(one.preferred === undefined ? {} : { preferred: one.preferred }),
                files: [main, ...rest],
                expected: null,
                name: null,
            },
            limits: { time: 1, memory: 256 * MIB, output: MIB, ...one.limits },
            stage,
            attempt: one.confirming === undefined ? 1 : 2,
            confirmed: one.confirmed ?? [],
            confirming: one.confirming ?? null,
            settles: one.settles ?? true,
        };
    }

    async run(one: Case, signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
        return (await this.judge).run(this.task(one), { signal, log: () => {} });
    }

    /** The judge's result; fails the test if there is none. */
    async result(one: Case): Promise<JudgeResult> {
        const outcome = await this.run(one);
        if (outcome.kind !== 'verdict') throw new Error(`expected a verdict, got ${JSON.stringify(outcome)}`);
        return outcome.result as JudgeResult;
    }

    async close(): Promise<void> {
        await (await this.#judge)?.close();
        rmSync(this.folder, { recursive: true, force: true });
    }
}
