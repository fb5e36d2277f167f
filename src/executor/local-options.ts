import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JudgingOptions, LocalOptions } from './descriptor.js';
import type { PlanContext } from './executor-kind.js';
import { cacheFolder } from './sandbox/cache-folder.js';
import { probeSandbox } from './sandbox/probe.js';

/**
 * How programs and checkers run on this machine: looks for a sandbox that works.
 * @returns also notices, such as one about a missing sandbox
 * @throws UserError if the requested sandbox does not work here
 */
export async function readLocalOptions({
    judging,
    scratch,
}: Pick<PlanContext, 'judging' | 'scratch'>): Promise<{
    readonly options: JudgingOptions & LocalOptions;
    readonly notices: readonly string[];
}> {
    const { kind: sandbox, notes } = await probeSandbox(judging.sandbox);
    const { allTests, keepOutput, outputLimit, includeDirs, python2As3, adaptWindows, languages } = judging;
    const compileCache = await compileCacheFolder();
    const judged = { allTests, keepOutput, outputLimit };
    const local = { sandbox, includeDirs, scratch, compileCache, python2As3, adaptWindows, languages };
    return { options: { ...judged, ...local }, notices: notes };
}

/** Folder of compiled programs that are kept between runs; private, so that no other user can write to it. */
async function compileCacheFolder(): Promise<string> {
    const path = join(await cacheFolder(), 'compiled');
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
}
