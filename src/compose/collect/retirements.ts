import { join } from 'node:path';
import { EARLIER } from '../../checkpoint/result-file/keep-old.js';
import { readCheckpointFileAtOnce } from '../../checkpoint/result-file/read-file.js';
import { readSuperseded } from '../../checkpoint/result-file/superseded-log.js';
import { listFiles } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { SubstituteKeys } from '../../results/collect/checkpoint-records.js';
import { digestKey, type RecordVersion, type Retirement } from '../../results/record/record.js';

/** Records that a results directory no longer has. About 200 bytes each. */
export class Retirements {
    readonly #byKey = new Map<string, Retirement>();

    /**
     * Loads the retirements from superseded.jsonl.
     * @param run id of the run
     * @param samples only these samples; null: all
     */
    static async load(
        checkpoints: string,
        run: string,
        samples: ReadonlySet<string> | null = null,
    ): Promise<Retirements> {
        const retirements = new Retirements();
        for await (const { sample, group, entry } of readSuperseded(checkpoints)) {
            const { fingerprint, occurrence = 0, revision = 1 } = entry;
            if (fingerprint === null || samples?.has(sample) === false) continue;
            retirements.add({ run, sample, group, fingerprint, occurrence, revision });
        }
        return retirements;
    }

    /** For each key, the highest revision counts. */
    add(retirement: Retirement): void {
        const digest = digestKey(retirement).toString('latin1');
        const known = this.#byKey.get(digest);
        if (known === undefined || known.revision < retirement.revision) this.#byKey.set(digest, retirement);
    }

    /**
     * Drops a record that a result file contains, and that is therefore not retired: superseded.jsonl is written before the file
     * is.
     */
    drop(record: RecordVersion): void {
        if (this.#byKey.size === 0) return;
        const digest = digestKey(record).toString('latin1');
        const known = this.#byKey.get(digest);
        if (known !== undefined && known.revision <= record.revision) this.#byKey.delete(digest);
    }

    /** Adds entries of an earlier tool's file, whose records were keyed by their source before the file was rewritten. */
    addEarlier({ id: sample, entries }: Checkpoint, run: string): void {
        for (const [group, list] of entries) {
            const standIns = new SubstituteKeys();
            for (const { entry } of list)
                this.add({ run, sample, group, ...standIns.findKey(entry), revision: 1 });
        }
    }

    /**
     * Adds entries of the earlier tools' files that have been upgraded.
     * @param samples those whose files are in our format now
     * @throws UserError (exit 2) if one cannot be read
     */
    async addUpgraded(checkpoints: string, run: string, samples: ReadonlySet<string>): Promise<void> {
        const dir = join(checkpoints, EARLIER);
        for (const name of await listFiles(dir)) {
            const read = await readCheckpointFileAtOnce(join(dir, name));
            if (read.kind === 'checkpoint' && samples.has(read.checkpoint.id))
                this.addEarlier(read.checkpoint, run);
        }
    }

    all(): Iterable<Retirement> {
        return this.#byKey.values();
    }
}
