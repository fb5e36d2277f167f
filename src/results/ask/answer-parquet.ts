import type { Answer, AnswerKind } from '../../model/answer.js';
import { openDuckDb } from '../duckdb.js';
import { boundLines, quoteName, quoteText } from '../record/columns.js';
import type { LongestLine } from '../record/lines.js';

/**
 * The answer as JSON lines; `encodeAnswer` turns them into Parquet.
 * @param longest receives every line
 */
export async function* answerLines({ columns, rows }: Answer, longest: LongestLine): AsyncGenerator<string> {
    for await (const row of rows) {
        const values = Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null]));
        yield longest.add(`${JSON.stringify(values)}\n`);
    }
}

/**
 * @param lines file that holds the output of `answerLines`
 * @param longest of its lines, in bytes
 * @param target Parquet file to write
 */
export async function encodeAnswer(
    answer: Answer,
    lines: string,
    longest: number,
    target: string,
): Promise<void> {
    const types = answer.columns.map(
        ({ name, kind }) => `${quoteName(name)}: ${quoteText(chooseColumnType(kind))}`,
    );
    const source = `read_json(${quoteText(lines)}, format = 'newline_delimited', columns = {${types.join(', ')}}, ${boundLines(longest)})`;
    const duckdb = await openDuckDb();
    await duckdb.run(
        `COPY (SELECT * FROM ${source}) TO ${quoteText(target)} (FORMAT parquet, COMPRESSION zstd)`,
    );
}

function chooseColumnType(kind: AnswerKind): string {
    switch (kind) {
        case 'integer':
        case 'bytes':
            // DuckDB sums integers as 128-bit values.
            return 'BIGINT';
        case 'number':
        case 'share':
        case 'seconds':
        case 'usd':
            return 'DOUBLE';
        case 'boolean':
            return 'BOOLEAN';
        case 'time':
            return 'TIMESTAMPTZ';
        case 'text':
            return 'VARCHAR';
    }
}
