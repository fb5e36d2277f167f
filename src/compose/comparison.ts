import type { RunFile } from '../checkpoint/run-directory/run-file-shape.js';
import type { CheckpointStore } from '../checkpoint/store.js';
import type { CheckerSetting } from '../config.js';
import type { Dataset } from '../dataset/dataset.js';
import { formatChecker, FORMAT_CHECKERS } from '../model/checker-text.js';
import { fingerprintSample } from '../model/fingerprint.js';
import { type DefaultComparison, type PrepareOptions, withChecker } from '../run/prepare.js';
import type { SampleItem } from '../run/sample-item.js';

/** How outputs are compared in a directory. */
export interface ComparisonChoice {
    /** How samples that name no checker are judged. */
    readonly fallback: DefaultComparison;
    /** For run.json and the report; null if no program is judged. */
    readonly record: NonNullable<RunFile['comparison']> | null;
    /** For the first lines of a run; null if no program is judged. */
    readonly inWords: string | null;
    /** If the directory keeps the comparison of version 0.1: which one that is, and how to switch. */
    readonly notice: string | null;
}

/**
 * Decides how outputs are compared if neither `--checker` nor the sample says so. Each format has its own comparison, but version
 * 0.1 always compared tokens. A directory with entries judged that way keeps it for all of its tasks: figures that mix both rules
 * would be meaningless. Such entries are recognised by their fingerprints.
 * @param checker `--checker`
 * @param executor `comparison`: who compares outputs if not our checkers
 * @param directory `samples`: all of its samples
 */
export async function chooseComparison(
    checker: CheckerSetting | null,
    executor: { readonly judges: boolean; readonly comparison: string | null },
    datasets: readonly Pick<Dataset, 'format' | 'comparison'>[],
    directory: {
        readonly known: RunFile | null;
        readonly store: Pick<CheckpointStore, 'read' | 'stamp'>;
        readonly samples: Iterable<SampleItem>;
    },
): Promise<ComparisonChoice> {
    if (!executor.judges) {
        return { fallback: 'format', record: null, inWords: null, notice: null };
    }
    if (executor.comparison !== null) {
        const inWords = `output compared by ${executor.comparison}`;
        return { fallback: 'format', record: null, inWords, notice: null };
    }
    if (checker !== null && checker.kind !== 'format') {
        const text = checker.kind === 'built-in' ? checker.text : checker.path;
        const record = { by: 'checker' as const, formats: recordFormats(datasets, () => text) };
        return {
            fallback: 'format',
            record,
            inWords: `output compared by ${text} (--checker)`,
            notice: null,
        };
    }
    const fallback = checker?.kind === 'format' ? 'format' : await findFallback(datasets, directory);
    const nameComparison = ({ comparison }: Pick<Dataset, 'comparison'>): string => {
        if (comparison === null) return "each package's own validator";
        return fallback === 'tokens' ? 'tokens' : formatChecker(comparison);
    };
    const changed = datasets.filter(hasNewComparison);
    const isKept = fallback === 'tokens' && changed.length > 0;
    return {
        fallback,
        record: { by: fallback, formats: recordFormats(datasets, nameComparison) },
        inWords: `output compared by ${listByName(datasets, nameComparison)}`,
        notice: isKept
            ? `results in this directory were compared by tokens, so all of its tasks are compared that way; to switch to ` +
              `${listByName(changed, ({ comparison }) => (comparison === null ? '' : formatChecker(comparison)))}, ` +
              `use --checker ${FORMAT_CHECKERS} --rerun changed`
            : null,
    };
}

const hasNewComparison = ({ comparison }: Pick<Dataset, 'comparison'>): boolean =>
    comparison !== null && comparison.kind !== 'tokens';

async function findFallback(
    datasets: readonly Pick<Dataset, 'comparison'>[],
    directory: Parameters<typeof chooseComparison>[3],
): Promise<DefaultComparison> {
    const recorded = directory.known?.comparison?.by;
    if (recorded === 'format' || recorded === 'tokens') return recorded;
    if (!datasets.some(hasNewComparison)) return 'format';
    for (const item of directory.samples) {
        if (!hasNewComparison(item.dataset)) continue;
        const stamp = await directory.store.stamp(item.indexed.id);
        const found = stamp === null ? null : await recogniseComparison(item, directory.store);
        if (found !== null) return found;
    }
    return 'format';
}

/** The comparison by which the entries of a sample were judged; null if they do not show it. */
async function recogniseComparison(
    { indexed, dataset }: SampleItem,
    store: Pick<CheckpointStore, 'read'>,
): Promise<DefaultComparison | null> {
    const checkpoint = await store.read(indexed.id);
    const known = new Set(
        [...(checkpoint?.entries.values() ?? [])].flat().map(({ entry }) => entry.fingerprint),
    );
    known.delete(null);
    if (known.size === 0) return null;
    const sample = await dataset.load(indexed);
    if (sample.judging?.isFormatChecker !== true) return null;
    for (const defaultComparison of ['format', 'tokens'] as const) {
        const options: Pick<PrepareOptions, 'checker' | 'defaultComparison'> = {
            checker: null,
            defaultComparison,
        };
        const fingerprints = fingerprintSample(withChecker(sample, options), '');
        if (
            Object.values(fingerprints)
                .flat()
                .some((fingerprint) => known.has(fingerprint))
        ) {
            return defaultComparison;
        }
    }
    return null;
}

function recordFormats<D extends Pick<Dataset, 'format'>>(
    datasets: readonly D[],
    nameOf: (dataset: D) => string,
): Record<string, string> {
    return Object.fromEntries(datasets.map((dataset) => [dataset.format, nameOf(dataset)]));
}

/** `codecontests (code-contests, common-oj), tokens (plain)`; without formats if there is only one comparison. */
function listByName<D extends Pick<Dataset, 'format'>>(
    datasets: readonly D[],
    nameOf: (dataset: D) => string,
): string {
    const byName = new Map<string, Set<string>>();
    for (const dataset of datasets) {
        const name = nameOf(dataset);
        byName.set(name, (byName.get(name) ?? new Set()).add(dataset.format));
    }
    return [...byName].map(([name, formats]) => `${name} (${[...formats].join(', ')})`).join(', ');
}
