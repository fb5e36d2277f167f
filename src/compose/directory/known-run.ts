import { existsSync } from 'node:fs';
import { readRunFile, statRunFile } from '../../checkpoint/run-directory/run-file.js';
import type { RunFile } from '../../checkpoint/run-directory/run-file-shape.js';
import type { KnownRun } from '../../config.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import type { OtherDataset } from '../samples.js';

/** The content of run.json in a checkpoints folder that decides how a run continues; null if there is none. */
export async function readKnownRun(folder: string): Promise<KnownRun | null> {
    const run = await readRunFile(folder);
    if (run === null) return null;
    const datasets = run.datasets.map((dataset) => dataset.path);
    return { options: run.options, datasets, distrust: explainDistrust(folder) };
}

/** `--executor` of the last start; null if run.json does not tell. */
export function readExecutor(run: Pick<RunFile, 'options'> | null): string | null {
    const name = run?.options['executor'];
    return typeof name === 'string' ? name : null;
}

/** Why users other than this one and root may have written a run.json; null: they cannot have, or the system does not tell. */
function explainDistrust(folder: string): string | null {
    const stats = statRunFile(folder);
    const self = process.getuid?.();
    if (stats === null || self === undefined) return null;
    if (stats.uid !== self && stats.uid !== 0) return `belongs to another user (uid ${stats.uid})`;
    return (stats.mode & 0o002) === 0 ? null : 'may be written by every user';
}

/**
 * Datasets that earlier starts ran into the directory and this one does not name. Those that no longer exist are forgotten, since
 * a later start without arguments would fail on their names; their results stay.
 * @param paths datasets of this start, absolute
 * @throws UserError if this start only names datasets of earlier starts, and one of them is gone
 */
export function findOtherDatasets(
    known: Pick<RunFile, 'datasets'> | null,
    paths: readonly string[],
    onNotice: (message: string) => void,
): OtherDataset[] {
    const remembered = known?.datasets ?? [];
    const isGone = (path: string): boolean => !/[*?{[]/.test(path) && !existsSync(path);
    if (paths.every((path) => remembered.some((one) => one.path === path))) {
        const gone = paths.find(isGone);
        if (gone !== undefined) {
            throw new UserError(
                `${shortenPath(gone)}, a dataset of this directory, no longer exists: restore it, or name its replacement ` +
                    '(resume-run <dataset> --dir ...)',
            );
        }
    }
    const others: OtherDataset[] = [];
    for (const { path, format } of remembered.filter((one) => !paths.includes(one.path))) {
        if (isGone(path))
            onNotice(
                `${shortenPath(path)} no longer exists: later starts without datasets skip it (its results stay)`,
            );
        else others.push({ path, format });
    }
    return others;
}
