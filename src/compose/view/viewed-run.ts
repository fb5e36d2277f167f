import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import type { StoredEntry } from '../../model/checkpoint.js';
import type { EntryDetail } from '../../model/page-data.js';
import type { LiveState } from '../../model/live-state.js';
import { describeEntry, describeOpenTask, shortenText } from '../../report/html/entry-detail.js';
import type { PageRows } from '../../report/html/page-row.js';
import { DirectoryReader } from '../directory/directory-reader.js';
import { findTask, type FoundTask } from '../directory/find-task.js';
import { readLiveStates } from '../directory/live-states.js';
import type { RunPaths } from '../directory/run-paths.js';
import { makeAskedReader } from '../page/asked-of-model.js';
import { buildPage } from '../page/page-data.js';
import { pickRows } from '../page/pick-rows.js';

/** Milliseconds for which a page is cached: reading a large directory takes seconds. */
const KEPT_MS = 2000;

/** A results directory that is being viewed. Files that have not changed are not read again. */
export class ViewedRun {
    readonly place: RunPaths;
    readonly #reader: DirectoryReader<PageRows>;
    #building: { readonly since: number; readonly page: Promise<Buffer> } | null = null;

    /** @param onNotice called for files that are left out */
    constructor(place: RunPaths, onNotice: (message: string) => void) {
        this.place = place;
        this.#reader = new DirectoryReader(place, {
            onNotice,
            pick: (checkpoint) => pickRows(checkpoint, null),
            again: true,
        });
    }

    /** Header and columns, gzip. @throws UserError if the directory cannot be read */
    page(): Promise<Buffer> {
        const now = Date.now();
        if (this.#building !== null && now - this.#building.since < KEPT_MS) return this.#building.page;
        const before = this.#building?.page.catch(() => undefined) ?? Promise.resolve();
        const page = before.then(async () => {
            const options = {
                dir: this.place.dir,
                budget: 0,
                matches: () => true,
                keepsRows: true,
                texts: null,
            };
            return (await buildPage(this.#reader, options)).page;
        });
        this.#building = { since: now, page };
        return page;
    }

    /**
     * The long parts of a task, with the failed test's input if the dataset is available. @throws UserError if there is no such
     * task
     */
    async detail(sample: string, group: string, index: number): Promise<EntryDetail | null> {
        const { state, test } = await findTask(this.place, sample, group, index);
        switch (state.kind) {
            case 'finished':
                return withTest(
                    describeEntry(state.entry, await this.#readAsked(state.entry, { sample, group })),
                    test,
                );
            case 'failed':
            case 'pending':
                return describeOpenTask(state.open);
            case 'skipped':
                return null;
        }
    }

    async #readAsked(
        entry: StoredEntry['entry'],
        at: { readonly sample: string; readonly group: string },
    ): Promise<readonly unknown[]> {
        const run = await readRunFile(this.place.checkpoints).catch(() => null);
        return makeAskedReader(this.place.dir, run)(entry, at);
    }

    /** The states that runs publish, one for each shard; empty if there are none. */
    live(): Promise<readonly LiveState[]> {
        return readLiveStates(this.place.checkpoints);
    }
}

function withTest(detail: EntryDetail, test: FoundTask['test']): EntryDetail {
    if (detail.failure === undefined || test === null) return detail;
    const more =
        'missing' in test
            ? { missing: test.missing }
            : { input: shortenText(test.input), expectedOutput: shortenText(test.output) };
    return { ...detail, failure: { ...detail.failure, ...more } };
}
