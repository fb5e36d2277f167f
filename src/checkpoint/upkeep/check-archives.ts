import { UserError } from '../../util/user-error.js';
import type { ArchiveList } from './archive-list.js';
import type { OutputCheck } from './check-outputs.js';
import type { Finding } from './finding.js';

/**
 * Reads every archived result file back and compares it with the SHA-256 that archive.json holds.
 * @param outputs is told which output files are named
 * @returns whether all could be read: one that cannot be read may name any output file
 */
export async function* checkArchives(
    list: ArchiveList,
    outputs: OutputCheck,
): AsyncGenerator<Finding, boolean> {
    let areAllRead = true;
    for (const id of list.ids()) {
        try {
            const checkpoint = await list.read(id);
            if (checkpoint !== null) outputs.addCheckpoint(checkpoint, list.findPath(id) ?? '');
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            areAllRead = false;
            yield { kind: 'archive damaged', file: list.findPath(id) ?? '', id, why: error.message };
        }
    }
    return areAllRead;
}
