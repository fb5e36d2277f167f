import { chooseDatasets, type RunConfig } from '../config.js';
import type { RowFiles } from '../dataset/row-files.js';
import { openScratch, type Scratch } from '../host/scratch.js';
import { waitUntilAborted } from '../util/until-aborted.js';
import { UserError } from '../util/user-error.js';
import { openDirectory } from './directory/directory.js';
import { writeGenerated } from './generated-dataset.js';
import type { OpenedRun, OpenRunOptions } from './opened-run.js';
import { planRun } from './plan-run.js';
import { PlannedRun } from './planned-run.js';
import { openRowFiles } from './row-files.js';
import { spoolRows } from './spool-rows.js';
import { spoolStdin } from './spool-stdin.js';

/**
 * Opens the datasets, takes the directory and decides what is left to run.
 * @throws UserError exit 2 for invalid input, exit 3 if another run holds the directory
 */
export async function openRun(config: RunConfig, options: OpenRunOptions): Promise<OpenedRun> {
    if (config.mode === 'queue' && config.redis === null)
        throw new UserError('--mode queue needs --redis <url>, such as redis://127.0.0.1:6379');
    const notice = (message: string): void => options.onNotice(message, 'warning');
    const { generated, rows } = options;
    const chosen =
        generated === undefined && rows === undefined
            ? await chooseDatasets(config, options.examples)
            : { datasets: [], announcement: null };
    if (chosen.announcement !== null) options.onNotice(chosen.announcement, 'info');
    const directory = await openDirectory(config, notice, options.signal);
    let scratch: Scratch | null = null;
    let files: RowFiles | null = null;
    try {
        scratch = await openScratch();
        files = openRowFiles(scratch);
        const held = { directory, scratch, files, options };
        // A dry run writes nothing permanent.
        const folder = config.dryRun ? scratch.path : config.checkpoints;
        const spooling =
            generated !== undefined
                ? writeGenerated(generated, config.checkpoints, folder)
                : rows !== undefined
                  ? spoolRows(rows, folder)
                  : spoolStdin(chosen.datasets, folder);
        const planning = spooling.then((paths) => planRun(config, paths, held));
        const planned = await waitUntilAborted(planning, options.signal);
        return new PlannedRun(config, held, planned);
    } catch (error) {
        await files?.close();
        await scratch?.remove();
        await directory.close();
        throw error;
    }
}
