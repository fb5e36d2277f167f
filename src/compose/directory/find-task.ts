import { readFileSync, statSync } from 'node:fs';
import { createFileStore } from '../../checkpoint/file-store.js';
import { FileNames } from '../../checkpoint/result-file/names.js';
import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import type { Entry, OpenTask, SkippedTask } from '../../model/entry.js';
import type { Content } from '../../model/sample.js';
import { getIoCode } from '../../util/io-error.js';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import { isSameTask, withDatasetsOf } from './datasets-of-run.js';
import { readExecutor } from './known-run.js';
import type { RunPaths } from './run-paths.js';

/** A task of a results directory. */
export interface FoundTask {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    /** The state in its result file: finished, given up, not final yet, or skipped. */
    readonly state:
        | { readonly kind: 'finished'; readonly entry: Entry }
        | { readonly kind: 'failed' | 'pending'; readonly open: OpenTask }
        | { readonly kind: 'skipped'; readonly skipped: SkippedTask };
    /** `--executor` according to run.json; null if run.json does not tell. */
    readonly executor: string | null;
    /** Full texts of the failed test, or the reason why the dataset does not provide them. */
    readonly test: { readonly input: string; readonly output: string } | { readonly missing: string } | null;
}

/**
 * Finds a task and its details.
 * @throws UserError for an unknown sample, group or index
 */
export async function findTask(
    place: RunPaths,
    sample: string,
    group: string,
    index: number,
): Promise<FoundTask> {
    const store = createFileStore({
        dir: place.dir,
        checkpointsDir: place.checkpoints,
        holder: '',
        names: new FileNames([sample]),
        onNotice: () => undefined,
        readOnly: true,
    });
    const checkpoint = await store.read(sample);
    if (checkpoint === null)
        throw new UserError(`${place.dir} holds no results of ${JSON.stringify(sample)}`);
    const isIt = (task: { readonly group: string; readonly index: number }): boolean =>
        task.group === group && task.index === index;
    // Without run.json its fields stay unknown; everything else is in the result file.
    const run = await readRunFile(place.checkpoints).catch(() => null);
    const ref = { sample, group, index };
    const known = { ...ref, executor: readExecutor(run) };
    const stored = checkpoint.entries.get(group)?.find(({ entry }) => entry.index === index);
    if (stored !== undefined) {
        // An entry with an index always has a fingerprint.
        const entry = stored.entry as Entry;
        return {
            ...known,
            state: { kind: 'finished', entry },
            test: await describeFailedTest(place, ref, entry),
        };
    }
    const failed = checkpoint.failures.find(isIt);
    if (failed !== undefined) return { ...known, state: { kind: 'failed', open: failed }, test: null };
    const pending = checkpoint.pending.find(isIt);
    if (pending !== undefined) return { ...known, state: { kind: 'pending', open: pending }, test: null };
    const skipped = checkpoint.skipped.find(isIt);
    if (skipped !== undefined) return { ...known, state: { kind: 'skipped', skipped }, test: null };
    const groups = [...checkpoint.entries.keys()].join(', ');
    throw new UserError(
        `${JSON.stringify(sample)} has no result for ${group} ${index} yet; its groups are ${groups === '' ? 'empty' : groups}`,
    );
}

async function describeFailedTest(
    place: RunPaths,
    { sample: id, group, index }: Pick<FoundTask, 'sample' | 'group' | 'index'>,
    entry: Entry,
): Promise<FoundTask['test']> {
    const tests: unknown = 'tests' in entry.result ? entry.result.tests : [];
    const at = Array.isArray(tests)
        ? tests.findIndex((test: { readonly passed?: unknown }) => test.passed === false)
        : -1;
    if (at === -1) return null;
    try {
        const run = await readRunFile(place.checkpoints);
        const sample = run === null ? null : await withDatasetsOf(run, (load) => load(id));
        if (run === null || sample === null) return { missing: 'its dataset is not known here' };
        if (!isSameTask(run, sample, { group, index }, entry.fingerprint))
            return { missing: 'the dataset changed since, or --checker was another one' };
        const test = sample.judging?.tests[at];
        if (test === undefined) return { missing: 'the dataset has no such test' };
        return { input: readShownContent(test.input), output: readShownContent(test.output) };
    } catch (error) {
        if (!(error instanceof UserError) && getIoCode(error) === null) throw error;
        return { missing: getMessage(error) };
    }
}

/** Maximum number of bytes shown of a test. */
const MAX_TEXT_BYTES = 64 * 1024;

export function readShownContent(content: Content): string {
    if (content.text !== undefined) return content.text.slice(0, MAX_TEXT_BYTES);
    if (statSync(content.path).size > MAX_TEXT_BYTES) return `(in ${content.path})`;
    return readFileSync(content.path, 'utf8');
}
