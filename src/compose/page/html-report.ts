import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { makeIdMatcher } from '../../dataset/filter.js';
import { writeText } from '../../host/output-file.js';
import { writeHtmlFile } from '../../report/html/html-file.js';
import { escapeLine } from '../../util/printable.js';
import { withDatasetsOf } from '../directory/datasets-of-run.js';
import { DirectoryReader } from '../directory/directory-reader.js';
import { print, tell, warn } from '../output.js';
import { readPageAssets } from '../page-assets.js';
import type { RunPaths } from '../directory/run-paths.js';
import { makeAskedReader } from './asked-of-model.js';
import { FailedTestTexts } from './failed-test-texts.js';
import { type BuiltPage, buildPage } from './page-data.js';
import { pickRows } from './pick-rows.js';

/**
 * Maximum size in bytes of sources, outputs and answers in one file, compressed: mail accepts 25 MB, and base64 turns 3 bytes
 * into 4.
 */
const DETAIL_BUDGET = 12 * 1024 * 1024;

interface HtmlReportOptions {
    /** Globs of sample ids; empty: all. */
    readonly only: readonly string[];
    /** Another run, whose tasks are shown beside those of this one; its sources and outputs are left out. */
    readonly compared: RunPaths | null;
}

/**
 * Writes a results directory as one HTML file; a failure leaves no partial file.
 * @throws UserError (exit 2), WriteError (exit 4)
 */
export async function writeHtmlReport(
    place: RunPaths,
    file: string,
    { only, compared }: HtmlReportOptions,
): Promise<void> {
    const assets = await readPageAssets();
    const run = await readRunFile(place.checkpoints).catch(() => null);
    const readAsked = makeAskedReader(place.dir, run);
    const reader = new DirectoryReader(place, {
        onNotice: warn,
        pick: (checkpoint) => pickRows(checkpoint, readAsked),
        again: false,
    });
    const build = (texts: FailedTestTexts | null): Promise<BuiltPage> =>
        buildPage(reader, {
            dir: place.dir,
            budget: DETAIL_BUDGET,
            matches: makeIdMatcher(only),
            keepsRows: false,
            texts,
        });
    const { page, chunks, leftOut } =
        run === null
            ? await build(null)
            : await withDatasetsOf(run, (load) => build(new FailedTestTexts(run, load)));
    const other = compared === null ? null : await buildCompared(compared, only);
    await writeText(file, writeHtmlFile(assets, page, chunks, other));
    print(escapeLine(`${file} is written: open it in a browser`));
    if (leftOut > 0)
        tell(
            `${file} holds the source and output of the tasks that matter most; those of ${leftOut} others did not fit: resume-run show has them`,
        );
}

async function buildCompared(place: RunPaths, only: readonly string[]): Promise<Buffer> {
    const reader = new DirectoryReader(place, {
        onNotice: warn,
        pick: (checkpoint) => pickRows(checkpoint, null),
        again: false,
    });
    const matches = makeIdMatcher(only);
    return (await buildPage(reader, { dir: place.dir, budget: 0, matches, keepsRows: false, texts: null }))
        .page;
}
