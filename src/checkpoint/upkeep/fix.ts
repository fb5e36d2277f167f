import { link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableWriter, syncDirectory } from '../../host/durable-write.js';
import { stampFile } from '../../host/stamp.js';
import type { KeptEntry } from '../../model/checkpoint.js';
import { unreachable } from '../../util/unreachable.js';
import { quarantinePath } from '../result-file/quarantine.js';
import type { CheckOptions } from './check.js';
import type { Finding } from './finding.js';
import { readCheckpointFile } from '../result-file/read-file.js';
import { SampleContent } from '../result-file/sample-content.js';

export interface FixOptions extends CheckOptions {
    /** Id of this run, for temporary files. */
    readonly holder: string;
}

/**
 * Repairs what `isFixable` allows, without losing anything. Hold the lock when calling it.
 * @returns what was done, in words; null if there was nothing to do
 * @throws WriteError
 */
export async function fixFinding(finding: Finding, options: FixOptions): Promise<string | null> {
    switch (finding.kind) {
        case 'leftover':
        case 'output unnamed':
            return await removeLeftover(finding.file, options);
        case 'unparseable':
            return await moveAside(finding.file, options.dir);
        case 'wrong name':
            return await giveName(finding.file, finding.expected, options.dir);
        case 'totals disagree':
            return await countAgain(finding.file, options);
        case 'duplicate id':
        case 'duplicate index':
        case 'too many entries':
        case 'set aside':
        case 'earlier tool':
        case 'earlier checker':
        case 'earlier folder':
        case 'stranger':
        case 'removed sample':
        case 'torn log':
        case 'unusable':
        case 'archive damaged':
        case 'output damaged':
            return null;
        default:
            return unreachable(finding);
    }
}

async function removeLeftover(file: string, options: FixOptions): Promise<string> {
    for (const dir of [options.dir, options.checkpointsDir]) await rm(join(dir, file), { force: true });
    return 'removed';
}

async function moveAside(file: string, dir: string): Promise<string | null> {
    const path = join(dir, file);
    if (stampFile(path) === null) return null;
    const aside = quarantinePath(path);
    await rename(path, aside);
    await syncDirectory(dir);
    return `moved to ${aside}`;
}

async function giveName(file: string, expected: string, dir: string): Promise<string | null> {
    const target = join(dir, expected);
    if (stampFile(target) !== null) return null;
    // Unlike rename, it cannot overwrite a file that appeared meanwhile.
    await link(join(dir, file), target);
    await rm(join(dir, file));
    await syncDirectory(dir);
    return `renamed to ${expected}`;
}

/** Rewrites the file from its own entries and totals. Leaves it alone if two entries claim one place. */
async function countAgain(file: string, options: FixOptions): Promise<string | null> {
    const read = await readCheckpointFile(join(options.dir, file), null);
    if (read.kind !== 'checkpoint' || read.checkpoint.origin !== 'resume-run') return null;
    const { id, entries, totals, failures, pending, skipped, computedLimits, retiredRevision, run } =
        read.checkpoint;
    const kept: KeptEntry[] = [];
    for (const [group, list] of entries) {
        const indexes = new Set<number>();
        for (const stored of list) {
            const { index, fingerprint } = stored.entry;
            if (index === null || fingerprint === null || indexes.has(index)) return null;
            indexes.add(index);
            kept.push({ group, index, fingerprint, occurrence: stored.entry.occurrence ?? 0, stored });
        }
    }
    const content = new SampleContent({
        id,
        totals: [...totals],
        kept,
        superseded: [],
        failures,
        pending,
        skipped,
        computedLimits,
        retiredRevision,
        origin: 'resume-run',
        dirty: true,
    });
    await new DurableWriter(options.dir, options.holder).write(file, content.render(run));
    return 'counted again';
}
