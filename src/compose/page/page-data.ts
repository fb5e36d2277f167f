import { gzipSync } from 'node:zlib';
import type { DirectorySample } from '../../model/directory-sample.js';
import { FLAG_UNEXPECTED } from '../../model/page-data.js';
import { compareNatural } from '../../report/format.js';
import { ColumnBuilder, type DetailPlace } from '../../report/html/column-builder.js';
import { DetailChunks } from '../../report/html/detail-chunks.js';
import type { PageRow, PageRows } from '../../report/html/page-row.js';
import type { FailedTestTexts } from './failed-test-texts.js';
import { readPackageVersion } from '../../host/package-version.js';
import type { DirectoryReader } from '../directory/directory-reader.js';
import { asTyped } from '../output.js';

/** The contents of a page: columns, and the long parts of entries in chunks; everything compressed with gzip. */
export interface BuiltPage {
    readonly page: Buffer;
    readonly chunks: readonly Buffer[];
    readonly leftOut: number;
}

export interface PageDataOptions {
    readonly dir: string;
    /** Maximum size in bytes of the long parts, compressed; 0: none are included, as the page requests them one by one. */
    readonly budget: number;
    /** Whether a sample is shown. */
    readonly matches: (id: string) => boolean;
    /** Whether the reader keeps the rows for the next time. */
    readonly keepsRows: boolean;
    /** Source of inputs and expected outputs; null: they are left out. */
    readonly texts: FailedTestTexts | null;
}

/** Reads a results directory into the contents of a page. */
export async function buildPage(
    reader: DirectoryReader<PageRows>,
    { dir, budget, matches, keepsRows, texts }: PageDataOptions,
): Promise<BuiltPage> {
    const { run, known } = await reader.readRun();
    const columns = new ColumnBuilder();
    const chunks = new DetailChunks(budget);
    let removed = 0;
    for await (const sample of reader.read(Number.POSITIVE_INFINITY, known)) {
        const rows = sample.picked?.rows ?? [];
        if (sample.standing === 'removed') removed += 1;
        else if (matches(sample.tally.id)) {
            columns.addSample(sample.tally.id, countTotals(sample));
            for (const { row, detail } of rows) {
                const isPacked = detail !== null && budget > 0 && chunks.takes(isUrgent(row));
                const whole = isPacked ? await texts?.addTo(detail, sample.tally.id, row) : undefined;
                const place: DetailPlace =
                    detail === null || budget === 0
                        ? { chunk: 0, slot: 0 }
                        : chunks.add(whole ?? detail, isUrgent(row));
                columns.addRow(row, place);
            }
        }
        if (!keepsRows) rows.length = 0;
    }
    const packed = chunks.finish();
    const bytes = columns.pack(
        {
            dir: asTyped(dir),
            version: readPackageVersion(),
            generatedAt: new Date().toISOString(),
            datasets: (run?.datasets ?? []).map(({ path }) => path),
            comparison: run?.comparison?.formats ?? null,
            removed,
            leftOut: chunks.leftOut === 0 ? null : { entries: chunks.leftOut, budget },
        },
        compareNatural,
    );
    return { page: gzipSync(bytes), chunks: packed, leftOut: chunks.leftOut };
}

function countTotals({ tally }: DirectorySample): readonly (readonly [string, number])[] {
    return Object.entries(tally.groups).map(([group, { total }]) => [group, total]);
}

const isUrgent = ({ flags, outcome }: PageRow): boolean =>
    (flags & FLAG_UNEXPECTED) !== 0 || outcome === 'failed' || outcome === 'pending';
