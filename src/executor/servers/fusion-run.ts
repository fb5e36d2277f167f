import type { CapturedRun } from '../../model/entry.js';
import type { Limits } from '../../model/limits.js';
import type { RanTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import { nameSignal } from '../signal-name.js';
import type { ServerRun } from './server-run.js';

/** Conditions of a run, and what is known about it besides its own output. */
export interface RunFacts {
    readonly limits: Limits;
    /** Seconds that the run was allowed. */
    readonly time: number;
    /** What the language's runtime prints when it is out of memory; null if that is unknown, or no limit was sent. */
    readonly outOfMemory: RegExp | null;
    /** Whether it ended like a program on a machine in trouble. */
    readonly isDoubtful: boolean;
    /** Whether the end of its output may be lost. */
    readonly lossy: boolean;
}

/** Converts a run for the test loop. These servers measure only wall time. */
export function toRanTest(seen: ServerRun, facts: RunFacts): RanTest {
    const { run, compile } = seen;
    if (run === null) {
        const doubt = facts.isDoubtful ? 'machine' : null;
        return { kind: 'not-compiled', compile: compile ?? NO_COMPILE, doubt };
    }
    const output = Buffer.from(run.stdout);
    const signal = run.return_code !== null && run.return_code < 0 ? nameSignal(-run.return_code) : null;
    const ended: ProgramRun = {
        verdict: chooseVerdict(run, output.length, facts),
        doubt: describeDoubt(signal, facts.isDoubtful),
        // A run stopped at the limit says nothing about how long it would have taken.
        nearLimit: run.status === 'Finished' && run.execution_time >= 0.9 * facts.time,
        cpuTime: null,
        wallTime: run.execution_time,
        memory: null,
        returnCode: run.return_code,
        signal,
        stdout: output,
        stderr: run.stderr,
    };
    return { kind: 'ran', run: ended, lossy: facts.lossy };
}

function chooseVerdict(
    run: CapturedRun,
    printed: number,
    { limits, outOfMemory }: RunFacts,
): ProgramRun['verdict'] {
    if (run.status === 'TimeLimitExceeded') return 'TimeLimitExceeded';
    if (printed > limits.output) return 'OutputLimitExceeded';
    if (run.return_code === 0) return null;
    return outOfMemory?.test(run.stderr) === true ? 'MemoryLimitExceeded' : 'RuntimeError';
}

function describeDoubt(signal: string | null, isDoubtful: boolean): ProgramRun['doubt'] {
    // Killed neither by itself nor by our limits: blame the machine, unless it happens again.
    if (signal === 'SIGKILL' || signal === 'SIGTERM') return 'signal';
    return isDoubtful ? 'machine' : 'unmeasured';
}

const NO_COMPILE: CapturedRun = {
    status: 'Error',
    execution_time: 0,
    return_code: null,
    stdout: '',
    stderr: '',
};
