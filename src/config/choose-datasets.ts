import { readdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { findExecutorKind } from '../executor/kinds.js';
import { isJsonObject, type Json } from '../model/json.js';
import { readRegularFile } from '../util/regular-file.js';
import { UserError } from '../util/user-error.js';
import type { RunConfig } from './run-config.js';
import { readReason } from '../util/io-error.js';

/**
 * The datasets of a run. With none known, the bundled examples stand in, but only where there are no results yet.
 * @param examples the bundled dataset
 * @throws UserError (exit 2) where results are there, or a named directory was begun, and nothing says what they are of
 */
export async function chooseDatasets(
    config: Pick<RunConfig, 'datasets' | 'dir' | 'checkpoints' | 'executor'>,
    examples: string,
): Promise<{ readonly datasets: readonly string[]; readonly announcement: string | null }> {
    if (config.datasets.length > 0) return { datasets: config.datasets, announcement: null };
    // The examples are programs to be judged.
    if (!findExecutorKind(config.executor.kind).judges) {
        throw new UserError(`--executor ${config.executor.kind} needs a dataset: resume-run <dataset> ...`);
    }
    if (!(await isAbsentOrEmpty(config.dir))) {
        throw new UserError(
            `${config.dir} is not empty, but ${join(config.checkpoints, 'run.json')} is missing: ` +
                'name the dataset that its results are of (resume-run <dataset> --dir ...)',
        );
    }
    // A start that ended early left its lock, and not what it was to run.
    const wasBegun = config.dir !== resolve(USUAL_DIR) && !(await isAbsentOrEmpty(config.checkpoints));
    if (wasBegun && !hasIndexed(config.checkpoints, examples)) {
        throw new UserError(
            `${config.dir} was begun, but its first start ended before it wrote down what it runs: ` +
                'repeat the command that began it (resume-run <dataset> --dir ...)',
        );
    }
    return {
        datasets: [examples],
        announcement: `no dataset was named: judging the bundled examples (${examples})`,
    };
}

/** Where bare `resume-run` puts the results of the examples, however often it is stopped early. */
const USUAL_DIR = 'results';

/** Whether an earlier start came as far as its index, and had nothing but the examples in it. */
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
