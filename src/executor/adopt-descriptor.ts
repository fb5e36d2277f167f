import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../util/user-error.js';
import { checkDescriptor, orOff } from './check-descriptor.js';
import type { AdoptContext, AdoptedDescriptor } from './executor-kind.js';
import type { ExecDescriptor } from './exec-kind.js';
import { findAvailableLanguages } from './judge/available.js';
import type { JudgeDescriptor } from './judge/judge-kind.js';
import { readLocalOptions } from './local-options.js';
import type { ModuleDescriptor } from './module-kind.js';

/*
 * How a queue's worker takes over the descriptor of a run. The descriptor comes from Redis, so it is validated; everything in it
 * that names a file or a program is replaced by the worker's own setting or requires `--allow exec`.
 */

const NAME = z.string().min(1).max(4096);
const SECONDS = z.number().positive();
const KEEP_OUTPUT = z.enum(['none', 'failed', 'all']);
const BYTES = z.int().min(0);

const judge = z.looseObject({
    kind: z.literal('judge'),
    allTests: orOff(),
    keepOutput: KEEP_OUTPUT,
    outputLimit: BYTES,
    python2As3: orOff(),
    adaptWindows: orOff(),
    languages: z.record(z.string(), z.unknown()),
});

/** Judging: the run decides how strict it is; everything else is this machine's. */
export async function adoptJudge(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<JudgeDescriptor>> {
    const { allTests, keepOutput, outputLimit, python2As3, adaptWindows, languages } = checkDescriptor(
        judge,
        theirs,
    );
    for (const tag of Object.keys(languages)) {
        if (own.judging.languages[tag] === undefined) {
            throw new UserError(
                `it overrides the language ${tag}: start this worker with the same configuration file (--config)`,
            );
        }
    }
    const judging = { ...own.judging, allTests, keepOutput, outputLimit, python2As3, adaptWindows };
    const { options } = await readLocalOptions({ judging, scratch: own.scratch });
    const available = await findAvailableLanguages(options.languages, python2As3, options.sandbox);
    return {
        descriptor: { kind: 'judge', ...options },
        languages: [...available.keys()],
        sandbox: options.sandbox,
    };
}

const exec = z.looseObject({
    kind: z.literal('exec'),
    argv: z.tuple([NAME], z.string().max(65_536)),
    exitVerdicts: z.record(z.string(), z.string()),
    timeout: SECONDS,
    keepOutput: KEEP_OUTPUT,
    outputLimit: BYTES,
});

/** A command of the run, if this worker may run foreign commands. Output files go through this machine's disk. */
export async function adoptExec(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<ExecDescriptor>> {
    const { argv, exitVerdicts, timeout, keepOutput, outputLimit } = checkDescriptor(exec, theirs);
    if (!own.mayRunCommands)
        throw new UserError(`it runs a command (${argv[0]}): start this worker with --allow exec`);
    const dir = join(own.scratch, 'outputs');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { scratch, holder } = own;
    return {
        descriptor: {
            kind: 'exec',
            argv,
            exitVerdicts,
            timeout,
            keepOutput,
            outputLimit,
            dir,
            holder,
            scratch,
        },
        outputs: dir,
    };
}

const module = z.looseObject({
    kind: z.literal('module'),
    file: NAME,
    exportName: NAME,
    timeout: SECONDS,
});

/** A module of the run, at the same path on this machine. */
export async function adoptModule(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<ModuleDescriptor>> {
    const { file, exportName, timeout } = checkDescriptor(module, theirs);
    if (!own.mayRunCommands)
        throw new UserError(`it calls a module (${file}): start this worker with --allow exec`);
    const found = await stat(file).catch(() => null);
    if (found === null) throw new UserError(`its module is not on this machine: ${file}`);
    return { descriptor: { kind: 'module', file, exportName, timeout } };
}
