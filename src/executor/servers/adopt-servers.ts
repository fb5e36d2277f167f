import { z } from 'zod';
import { UserError } from '../../util/user-error.js';
import { checkDescriptor, orNull, orOff } from '../check-descriptor.js';
import type { ServerOptions } from '../descriptor.js';
import type { AdoptContext, AdoptedDescriptor, OwnEndpoints } from '../executor-kind.js';
import { findAvailableLanguages } from '../judge/available.js';
import { readLocalOptions } from '../local-options.js';
import { expandEndpoints } from './endpoint-options.js';
import type { GoJudgeDescriptor } from './go-judge-kind.js';
import type { PistonDescriptor } from './piston-kind.js';
import { acquireByMessage, doubtByMessage } from './places.js';
import { adoptEndpoints, checkTokens, describeForWorkers } from './queued-endpoints.js';
import type { SandboxFusionDescriptor } from './sandbox-fusion-kind.js';
import type { SandboxServerOptions } from './server-kind.js';
import type { ServerParts } from './server-executor.js';

/** Concurrent requests in one worker process, which only wait for servers. */
const TASKS_IN_PROCESS = 16;

/** Parts of executors over sandbox servers in workers: places come from the main process. */
export const WORKER_PARTS: ServerParts = {
    places: { acquire: acquireByMessage, doubted: doubtByMessage },
};

/** A server descriptor as it is sent to workers on other machines. */
export function describeServers<D extends SandboxServerOptions & { readonly kind: string }>(
    descriptor: D,
): Omit<D, keyof ServerOptions> & { readonly kind: string } {
    const { firstTimeout } = descriptor;
    return { ...descriptor, ...describeForWorkers(descriptor), retryEndpoints: [], firstTimeout };
}

/** The part of a run's descriptor that decides how strict judging is. */
const judged = z.looseObject({
    allTests: orOff(),
    keepOutput: z.enum(['none', 'failed', 'all']),
    outputLimit: z.int().min(0),
    python2As3: orOff(),
    adaptWindows: orOff(),
    firstTimeout: orNull(z.number().positive()),
    languages: z.record(z.string(), z.unknown()),
});

/** The servers of a run, used with this worker's keys; outputs are checked on this machine. */
async function adoptServers(
    theirs: unknown,
    own: AdoptContext,
): Promise<Omit<AdoptedDescriptor, 'descriptor'> & { readonly options: SandboxServerOptions }> {
    const run = checkDescriptor(judged, theirs);
    for (const tag of Object.keys(run.languages)) {
        if (own.judging.languages[tag] === undefined) {
            throw new UserError(
                `it overrides the language ${tag}: start this worker with the same configuration file (--config)`,
            );
        }
    }
    const { allTests, keepOutput, outputLimit, python2As3, adaptWindows, firstTimeout } = run;
    const judging = { ...own.judging, allTests, keepOutput, outputLimit, python2As3, adaptWindows };
    const { options } = await readLocalOptions({ judging, scratch: own.scratch });
    const available = await findAvailableLanguages(options.languages, python2As3, options.sandbox);
    return {
        options: { ...options, ...adoptEndpoints(theirs, listOwn(own.endpoints)), firstTimeout },
        languages: [...available.keys()],
        tasksInProcess: TASKS_IN_PROCESS,
    };
}

const listOwn = ({ given }: OwnEndpoints) => expandEndpoints(given, '--endpoint');

/** @throws UserError if no server was named, or a token is missing */
export function checkServerWorker({ endpoints }: AdoptContext): void {
    const own = listOwn(endpoints);
    if (own.length === 0)
        throw new UserError(
            'a worker uses only the servers that it is started with: add --endpoint <url>, such as --endpoint http://10.0.0.1:8080',
        );
    checkTokens(own);
}

export async function adoptGoJudge(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<GoJudgeDescriptor>> {
    const { options, ...rest } = await adoptServers(theirs, own);
    return { descriptor: { kind: 'go-judge', ...options }, ...rest };
}

export async function adoptPiston(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<PistonDescriptor>> {
    const { options, ...rest } = await adoptServers(theirs, own);
    return { descriptor: { kind: 'piston', ...options }, ...rest };
}

const fusion = z.looseObject({
    api: z.enum(['run_code', 'submit']),
    memoryLimit: orNull(z.number().positive()),
});

export async function adoptSandboxFusion(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<SandboxFusionDescriptor>> {
    const { api, memoryLimit } = checkDescriptor(fusion, theirs);
    const { options, ...rest } = await adoptServers(theirs, own);
    return { descriptor: { kind: 'sandbox-fusion', api, memoryLimit, ...options }, ...rest };
}
