import type { OptionTable } from '../config/option.js';
import { UserError } from '../util/user-error.js';
import type { MainExecutorKind } from './executor-kind.js';

const OPTIONS = {
    'task-name': {
        kind: 'text',
        default: 'task',
        placeholder: '<name>',
        group: 'What runs',
        about: 'What stands for the function of a program in fingerprints: another name runs every task again',
        decides: 'verdict',
        effect: 'tasks that the function of the other name did run again',
        only: 'not a flag',
    },
} as const satisfies OptionTable;

export interface FunctionConfig {
    readonly kind: 'function';
    /** Part of the fingerprints: a function's source does not cover the code that it calls. */
    readonly identity: string;
}

export interface FunctionDescriptor {
    readonly kind: 'function';
    /** Seconds of wall time. */
    readonly timeout: number;
}

/** Seconds beyond a function's time limit after which it counts as hung. */
const SLACK = 5;

/**
 * Calls a function of the program that uses the library, in its own process. A descriptor cannot contain the function; whoever
 * opens the run provides it (compose/library.ts).
 */
export const FUNCTION: MainExecutorKind<typeof OPTIONS, FunctionConfig, FunctionDescriptor> = {
    name: 'function',
    options: OPTIONS,
    judges: false,
    usesEndpoints: false,
    runsIn: 'main',
    configure: (values) => ({ kind: 'function', identity: `function ${values['task-name']}` }),
    plan: ({ kind, identity }, { timeout }) => Promise.resolve({ descriptor: { kind, timeout }, identity }),
    patience: ({ timeout }) => timeout + SLACK,
    create: () =>
        Promise.reject(
            new UserError(
                'the tasks of this directory are run by a function of a program: start that program again, ' +
                    'or in your own give `task` to open() of the library',
            ),
        ),
};
