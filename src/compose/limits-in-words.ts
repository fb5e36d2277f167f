import type { Dataset } from '../dataset/dataset.js';
import type { LimitOptions } from '../model/limits.js';

/**
 * Describes the time limit for the first lines of a run, so that nobody finds out after a week that another one applied. If
 * `--limits` is absent, the format of each dataset decides.
 */
export function describeLimits(
    options: LimitOptions,
    datasets: readonly Pick<Dataset, 'format' | 'limitPolicy'>[],
): string {
    const { policy, timeout, timeFactor, timeSafety } = options;
    const factor =
        (timeFactor === 1 ? '' : ` x ${timeFactor}`) +
        (timeSafety === 1 ? '' : `, computed ones x ${timeSafety}`);
    const words = {
        own: `the sample's own${factor}, at most ${timeout} s`,
        flat: `${timeout} s for every test`,
    };
    if (policy !== null) return `time limit: ${words[policy]} (--limits ${policy})`;
    const listFormats = (which: 'own' | 'flat'): string =>
        [...new Set(datasets.filter((one) => one.limitPolicy === which).map((one) => one.format))].join(', ');
    const [flat, own] = [listFormats('flat'), listFormats('own')];
    if (flat === '') return `time limit: ${words.own}`;
    if (own === '') return `time limit: ${words.flat}`;
    return `time limit: ${words.flat} (${flat}), ${words.own} (${own})`;
}
