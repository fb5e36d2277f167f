import type { Answer, AnswerKind } from '../../model/answer.js';
import { openDuckDb } from '../duckdb.js';
import { quoteName, quoteText } from '../record/columns.js';

/** The answer as JSON lines; `encodeAnswer` turns them into Parquet. */
export async function* answerLines({ columns, rows }: Answer): AsyncGenerator<string> {
    for await (const row of rows)
        yield `${JSON.stringify(Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])))}\n`;
}

/**
 * @param lines file that holds the output of `answerLines`
 * @param target Parquet file to write
 */
export async function encodeAnswer(answer: Answer, lines: string, target: string): Promise<void> {
    const types = answer.columns.map(
        ({ name, kind }) => `${quoteName(name)}: ${quoteText(chooseColumnType(kind))}`,
    );
    const source = `read_json(${quoteText(lines)}, format = 'newline_delimited', columns = {${types.join(', ')}})`;
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
