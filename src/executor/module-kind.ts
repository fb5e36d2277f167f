import { dirname, relative, sep } from 'node:path';
import type { OptionTable } from '../config/option.js';
import { MODULE_REFERENCE } from '../config/values/module.js';
import { UserError } from '../util/user-error.js';
import type { WorkerExecutorKind } from './executor-kind.js';

const OPTIONS = {
    module: {
        kind: 'parsed',
        parser: MODULE_REFERENCE,
        default: null,
        placeholder: '<file[#export]>',
        group: 'What runs',
        about: 'Function that --executor module calls for each task',
        decides: 'verdict',
        effect: 'tasks that the other function did run again',
    },
} as const satisfies OptionTable;

export interface ModuleConfig {
    readonly kind: 'module';
    /** Absolute. */
    readonly file: string;
    readonly exportName: string;
    /** Part of the fingerprints: the path relative to the folder that holds the results directory, and the export. */
    readonly identity: string;
}

export interface ModuleDescriptor {
    readonly kind: 'module';
    /** Absolute path. */
    readonly file: string;
    /** `default` unless `--module file#name` says otherwise. */
    readonly exportName: string;
    /** Seconds of wall time. */
    readonly timeout: number;
}

/** Seconds beyond a function's time limit after which its worker counts as hung. */
const SLACK = 5;

/** Calls a module's function for each task. */
export const MODULE: WorkerExecutorKind<typeof OPTIONS, ModuleConfig, ModuleDescriptor> = {
    name: 'module',
    options: OPTIONS,
    judges: false,
    usesEndpoints: false,
    runsIn: 'worker',
    configure({ module }, { dir }) {
        if (module === null) {
            throw new UserError(
                '--executor module needs --module <file[#export]>, such as --module ./my-task.mjs',
            );
        }
        const { file } = module;
        const exportName = module.exportName ?? 'default';
        // Relative to the results, not to the working directory: a restart from elsewhere must give the same tasks.
        const path = relative(dirname(dir), file).split(sep).join('/');
        return { kind: 'module', file, exportName, identity: `${path}#${exportName}` };
    },
    plan: ({ kind, file, exportName, identity }, { timeout }) =>
        Promise.resolve({ descriptor: { kind, file, exportName, timeout }, identity }),
    async preflight({ file, exportName }) {
        return (await import('./module-preflight.js')).tryModule(file, exportName);
    },
    patience: ({ timeout }) => timeout + SLACK,
    adopt: async (theirs, own) => (await import('./adopt-descriptor.js')).adoptModule(theirs, own),
    create: async (descriptor) => (await import('./module.js')).createModule(descriptor),
};
