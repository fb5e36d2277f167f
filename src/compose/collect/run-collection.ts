import type { CollectingConfig, RunConfig } from '../../config.js';
import type { RunEnd } from '../../model/event.js';
import { makeSourceCounts } from '../../results/collect/source.js';
import { describeStorage } from '../../results/collect/storage-line.js';
import type { StorageFormat } from '../../results/result-store.js';
import { chooseStorage } from '../../results/store/choose-storage.js';
import { readManifest } from '../../results/store/manifest.js';
import { openStore } from '../../results/store/open-store.js';
import { collectSpool } from '../../results/spool/collect-spool.js';
import { writeMasterTree } from '../../results/tree/write-tree.js';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import type { Directory } from '../directory/directory.js';
import { openResultSpool, type ResultSpool } from './result-spool.js';
import type { Samples } from '../samples.js';

type Notify = (message: string, level: 'info' | 'warning') => void;

/**
 * Days for which batches of a run are kept after they have been added to the database; `resume-run collect --keep-days` overrides
 * it.
 */
export const KEEP_DAYS = 7;

/**
 * What a run with `--collect` does besides writing results: it spools them, and adds the spool to the database at its end.
 * Failures here are reported but do not affect the run: its results are safe in their files.
 */
export interface RunCollection extends Pick<ResultSpool, 'wrap' | 'close'> {
    /** Adds all waiting batches to the database, unless another process is doing so or the run was stopped. */
    finish(end: RunEnd): Promise<void>;
}

/** @returns null, with a notice, if the run cannot collect */
export async function openRunCollection(
    config: Pick<RunConfig, 'collecting' | 'checkpoints' | 'part'>,
    directory: Directory,
    samples: Samples,
    notify: Notify,
): Promise<RunCollection | null> {
    const { collecting } = config;
    const storage = await announceStorage(collecting, notify);
    if (storage === null) return null;
    const spool = await openResultSpool(config, directory, samples, notify);
    if (spool === null) return null;
    return {
        wrap: (store) => spool.wrap(store),
        close: () => spool.close(),
        finish: async (end) => {
            await spool.close();
            if (end.signal === null) await collectAtEnd(collecting, storage, notify);
        },
    };
}

/** Chooses the format once, for this process and for its child processes. */
async function announceStorage(collecting: CollectingConfig, notify: Notify): Promise<StorageFormat | null> {
    const { database, storage: wanted } = collecting;
    try {
        const onNotice = (message: string): void => notify(message, 'warning');
        const manifest = await readManifest(database);
        const storage = await chooseStorage({ dir: database, storage: wanted, onNotice }, manifest);
        notify(describeStorage(storage), 'info');
        process.env['STORAGE_FORMAT'] = storage;
        return storage;
    } catch (error) {
        if (!(error instanceof UserError)) throw error;
        notify(`ResultCollector不可用 (results are not collected): ${error.message}`, 'warning');
        return null;
    }
}

async function collectAtEnd(
    { database, tempDir }: CollectingConfig,
    storage: StorageFormat,
    notify: Notify,
): Promise<void> {
    const left = `The results are in ${tempDir}; add them with \`resume-run collect\``;
    try {
        // Notices about the format were already given at the start.
        const store = await openStore({ dir: database, storage, onNotice: () => undefined });
        try {
            const onNotice = (message: string): void => notify(message, 'warning');
            const options = { dir: tempDir, keepDays: KEEP_DAYS, counts: makeSourceCounts(), onNotice };
            const { added, replaced, retired } = await collectSpool(store, options);
            await writeMasterTree(database);
            notify(`${database}: ${added} records added, ${replaced} replaced, ${retired} retired`, 'info');
        } finally {
            await store.close();
        }
    } catch (error) {
        if (error instanceof UserError && error.exitCode === 3)
            notify(`another process is collecting into ${database}. ${left}`, 'info');
        else notify(`❌ 结果收集失败: ${getMessage(error)} (collecting failed). ${left}`, 'warning');
    }
}
