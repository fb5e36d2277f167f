import type { OptionTable } from '../config/option.js';
import { EXIT_VERDICT } from '../config/values/exit-verdict.js';
import { UserError } from '../util/user-error.js';
import type { KeepOutput } from './descriptor.js';
import type { WorkerExecutorKind } from './executor-kind.js';

const OPTIONS = {
    command: {
        kind: 'command',
        default: null,
        defaultText: 'none',
        group: 'What runs',
        about: 'Command that --executor exec runs for each task (after -- on the command line)',
        decides: 'verdict',
        effect: 'tasks that the other command did run again',
        only: 'not a flag',
    },
    'exit-verdict': {
        kind: 'parsed',
        parser: EXIT_VERDICT,
        repeatable: true,
        default: [],
        placeholder: '<code=Verdict>',
        group: 'What runs',
        about: 'Exit code of the command that is a verdict, not a failure',
        decides: 'verdict',
        effect: 'tasks that failed are tried again by it; existing verdicts stay',
    },
} as const satisfies OptionTable;

export interface ExecConfig {
    readonly kind: 'exec';
    readonly argv: readonly [string, ...string[]];
    readonly exitVerdicts: Readonly<Record<string, string>>;
    /** What fingerprints include besides a task's data. */
    readonly identity: string;
}

export interface ExecDescriptor {
    readonly kind: 'exec';
    /** Template, see field-template.ts; `{input}` is the path of a JSON file with the task's data. */
    readonly argv: readonly [string, ...string[]];
    /** `--exit-verdict code=Verdict`; 0 is Accepted. */
    readonly exitVerdicts: Readonly<Record<string, string>>;
    /** Seconds of wall time. */
    readonly timeout: number;
    readonly keepOutput: KeepOutput;
    /** `--output-limit`: bytes kept of stdout and of stderr. */
    readonly outputLimit: number;
    /** The results directory, for output too long for a result file. Absolute. */
    readonly dir: string;
    /** Id of the run, used in names of temporary files. */
    readonly holder: string;
    readonly scratch: string;
}

/** Seconds beyond a command's time limit after which its worker counts as hung. */
const SLACK = 60;

/** Runs a command for each task. */
export const EXEC: WorkerExecutorKind<typeof OPTIONS, ExecConfig, ExecDescriptor> = {
    name: 'exec',
    options: OPTIONS,
    judges: false,
    // A command's output is its result; long output is stored in a file.
    leavesFiles: true,
    keptOutput: { keepOutput: 'all', outputLimit: 16 * 1024 * 1024 },
    usesEndpoints: false,
    runsIn: 'worker',
    configure(values) {
        const argv = values.command;
        if (argv === null) {
            throw new UserError(
                '--executor exec needs a command after --, such as: resume-run data.jsonl --executor exec -- ./task {input}',
            );
        }
        const exitVerdicts = Object.fromEntries(
            values['exit-verdict'].map(({ code, verdict }): [string, string] => [String(code), verdict]),
        );
        return { kind: 'exec', argv, exitVerdicts, identity: JSON.stringify(argv) };
    },
    plan({ kind, argv, exitVerdicts, identity }, { timeout, judging, dir, holder, scratch }) {
        const { keepOutput, outputLimit } = judging;
        const descriptor = {
            kind,
            argv,
            exitVerdicts,
            timeout,
            keepOutput,
            outputLimit,
            dir,
            holder,
            scratch,
        };
        return Promise.resolve({ descriptor, identity });
    },
    async checkFields({ argv }, lists) {
        (await import('./exec-preflight.js')).checkPlaceholders(argv, lists);
    },
    async preflight({ argv }) {
        await (await import('./exec-preflight.js')).tryCommand(argv);
        return {};
    },
    patience: ({ timeout }) => timeout + SLACK,
    adopt: async (theirs, own) => (await import('./adopt-descriptor.js')).adoptExec(theirs, own),
    create: async (descriptor) => (await import('./exec.js')).createExec(descriptor),
};
