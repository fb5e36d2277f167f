import { readdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { findExecutorKind } from '../executor/kinds.js';
import { isJsonObject, type Json } from '../model/json.js';
import { readRegularFile } from '../util/regular-file.js';
import { UserError } from '../util/user-error.js';
import type { RunConfig } from './run-config.js';
import { readReason } from '../util/io-error.js';

/**
 * Chooses the datasets of a run. If none is known, the bundled examples are used, but only if there are no results yet.
 * @param examples the bundled dataset
 * @throws UserError (exit 2) if there are results, or a named directory was begun, and their dataset is unknown
 */
export async function chooseDatasets(
    config: Pick<RunConfig, 'datasets' | 'dir' | 'checkpoints' | 'executor'>,
    examples: string,
): Promise<{ readonly datasets: readonly string[]; readonly announcement: string | null }> {
    if (config.datasets.length > 0) return { datasets: config.datasets, announcement: null };
    // The examples are programs to judge.
    if (!findExecutorKind(config.executor.kind).judges) {
        throw new UserError(`--executor ${config.executor.kind} needs a dataset: resume-run <dataset> ...`);
    }
    if (!(await isAbsentOrEmpty(config.dir))) {
        throw new UserError(
            `${config.dir} is not empty, but ${join(config.checkpoints, 'run.json')} is missing: ` +
                'name the dataset of its results (resume-run <dataset> --dir ...)',
        );
    }
    // A start that ended early left its lock, but no record of what it was to run.
    const wasBegun = config.dir !== resolve(DEFAULT_DIR) && !(await isAbsentOrEmpty(config.checkpoints));
    if (wasBegun && !hasIndexed(config.checkpoints, examples)) {
        throw new UserError(
            `the first start in ${config.dir} ended before it recorded its datasets: ` +
                'repeat that command (resume-run <dataset> --dir ...)',
        );
    }
    return {
        datasets: [examples],
        announcement: `no dataset was named: judging the bundled examples (${examples})`,
    };
}

/** Where `resume-run` without arguments puts the results of the examples, even if it was stopped early before. */
const DEFAULT_DIR = 'results';

/** Whether an earlier start got as far as writing its index, and the index contains only the examples. */
function hasIndexed(checkpoints: string, examples: string): boolean {
    try {
        const index = JSON.parse(readRegularFile(join(checkpoints, 'index.json')).toString()) as Json;
        const datasets = isJsonObject(index) && Array.isArray(index['datasets']) ? index['datasets'] : [];
        const isExample = (one: Json): boolean =>
            Array.isArray(one) && typeof one[0] === 'string' && one[0].startsWith(examples + sep);
        return datasets.length > 0 && datasets.every(isExample);
    } catch {
        return false;
    }
}

/** Files that begin with a dot (`.gitkeep`) do not count. */
async function isAbsentOrEmpty(dir: string): Promise<boolean> {
    try {
        return (await readdir(dir)).every((name) => name.startsWith('.'));
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') return true;
        throw new UserError(`cannot read ${dir}: ${readReason(error)}`);
    }
}
