import type { CapturedRun } from '../../model/entry.js';
import type { Limits } from '../../model/limits.js';
import type { RanTest } from '../judge-tests.js';
import type { ProgramRun } from '../judged-result.js';
import { nameSignal } from '../signal-name.js';
import type { ServerRun } from './server-run.js';

/** Under what a run was made, and what is known of it besides its own words. */
export interface RunFacts {
    readonly limits: Limits;
    /** Seconds that it had. */
    readonly time: number;
    /** What the language's runtime prints when it is out of memory; null where that is not known, or no limit was sent. */
    readonly outOfMemory: RegExp | null;
    /** It ended as a program does where the machine is in trouble. */
    readonly isDoubtful: boolean;
    /** The end of its output may be lost. */
    readonly lossy: boolean;
}

/** A run as the test loop takes it. These servers measure wall time alone. */
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
        // What was stopped at the limit would have taken anybody knows how long.
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
    // Killed by neither the program nor a limit of ours: the machine's own doing, unless it happens again.
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
