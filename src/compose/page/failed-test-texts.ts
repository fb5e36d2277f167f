import type { RunFile } from '../../checkpoint/run-directory/run-file.js';
import type { EntryDetail } from '../../model/page-data.js';
import type { Sample } from '../../model/sample.js';
import { shortenText } from '../../report/html/entry-detail.js';
import { getIoCode } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { listFingerprints, type LoadSample } from '../directory/datasets-of-run.js';
import { readShownContent } from '../directory/find-task.js';

/** Characters of an input or an expected output in a file that may be mailed. */
const MAX_CHARACTERS = 4096;
/** Milliseconds that reading datasets may take in total; after that, the page names the command that shows a test. */
const MAX_MS = 20_000;

/** Adds the failed test's input and expected output to the details on a page, if the dataset still has the test. */
export class FailedTestTexts {
    readonly #run: RunFile;
    readonly #load: LoadSample;
    #spent = 0;
    /** The sample read last: a page reads the tasks of one sample after the other. */
    #last: { readonly id: string; readonly sample: Sample | null } | null = null;
    #fingerprints: ReturnType<typeof listFingerprints> = [];

    constructor(run: RunFile, load: LoadSample) {
        this.#run = run;
        this.#load = load;
    }

    async addTo(
        detail: EntryDetail,
        id: string,
        { group, index }: { readonly group: string; readonly index: number },
    ): Promise<EntryDetail> {
        const { failure, fingerprint } = detail;
        if (failure === undefined || fingerprint === undefined || this.#spent > MAX_MS) return detail;
        const before = Date.now();
        try {
            const sample = await this.#read(id);
            const test = sample?.judging?.tests[failure.position - 1];
            const isSame = this.#fingerprints.some((known) => known[group]?.[index] === fingerprint);
            if (test === undefined || !isSame) return detail;
            const [input, expectedOutput] = [test.input, test.output].map((content) =>
                shortenText(readShownContent(content), undefined, MAX_CHARACTERS),
            );
            return {
                ...detail,
                failure: { ...failure, ...(input && { input }), ...(expectedOutput && { expectedOutput }) },
            };
        } catch (error) {
            // If a dataset can no longer be read, the command that the page names tells why.
            if (!(error instanceof UserError) && getIoCode(error) === null) throw error;
            return detail;
        } finally {
            this.#spent += Date.now() - before;
        }
    }

    async #read(id: string): Promise<Sample | null> {
        if (this.#last?.id === id) return this.#last.sample;
        this.#last = { id, sample: null };
        this.#fingerprints = [];
        const sample = await this.#load(id);
        this.#last = { id, sample };
        this.#fingerprints = sample === null ? [] : listFingerprints(this.#run, sample);
        return sample;
    }
}
