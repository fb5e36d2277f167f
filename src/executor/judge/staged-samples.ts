import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StagedSample } from '../../model/sample.js';

/** Tasks of one sample run one after another, so a few are enough. */
const KEPT = 4;

/** The samples in progress, read from their stage once rather than once per task. */
export class StagedSamples {
    readonly #kept = new Map<string, Promise<StagedSample>>();

    get(stage: string): Promise<StagedSample> {
        const known = this.#kept.get(stage);
        if (known !== undefined) return known;
        const fresh = readFile(join(stage, 'sample.json'), 'utf8').then(
            (text) => JSON.parse(text) as StagedSample,
        );
        this.#kept.set(stage, fresh);
        fresh.catch(() => this.#kept.delete(stage));
        const [oldest] = this.#kept.keys();
        if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
        return fresh;
    }
}
