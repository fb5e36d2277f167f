import { shortenPath } from '../util/shown-path.js';
import type { Field } from './field.js';
import { codeContests } from './formats/code-contests.js';
import { codeContestsPlus } from './formats/code-contests-plus.js';
import { commonOj } from './formats/common-oj.js';
import { general } from './formats/general.js';
import { liveCodeBench } from './formats/live-code-bench.js';
import { plain } from './formats/plain.js';
import { tacoApps } from './formats/taco-apps.js';
import type { RowFormat } from './row-content.js';
import type { RowFiles } from './row-files.js';
import { parseRow } from './rows/read-row.js';

/** Formats of rows. The first one that recognises a row is used, so the more specific formats come first. */
export const ROW_FORMATS: readonly RowFormat[] = [
    codeContests,
    codeContestsPlus,
    liveCodeBench,
    tacoApps,
    plain,
    commonOj,
    general,
];

/** The format that a row looks like; null if there is none. @throws UserError for known formats that are refused */
export function recogniseRow(row: Field): RowFormat | null {
    const found = ROW_FORMATS.find((format) => format.recognises(row));
    if (found !== undefined) return found;
    if (row.get('corner_cases').present && row.get('results').value !== undefined) {
        throw row.error(
            'CodeContests-O rows have no solutions: join them with code_contests by `name` and write rows in the plain form',
        );
    }
    return null;
}

/**
 * The format of a file, from its first row. `plain` for a file without rows; null for rows of an unknown format, if these are
 * allowed.
 * @throws UserError if no format has such rows
 */
export async function recogniseFile(
    file: string,
    { mayBeList, files }: { readonly mayBeList: boolean; readonly files: RowFiles },
): Promise<RowFormat | null> {
    for await (const raw of files.rows(file)) {
        const place = `${shortenPath(file)}:${raw.line}`;
        const row = parseRow(raw.bytes, place);
        const format = recogniseRow(row);
        if (format !== null || mayBeList) return format;
        const keys = Object.keys(row.object()).slice(0, 8).join(', ');
        throw row.error(
            `not a row of a known format (its keys: ${keys || 'none'}); expected one of ${ROW_FORMATS.map((known) => known.key).join(', ')}, or name one with --format; a list of other rows runs with --executor exec, module or chat`,
        );
    }
    return plain;
}
