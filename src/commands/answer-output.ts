import type { OptionTable } from '../config/option.js';
import type { Answer } from '../model/answer.js';
import type { AnswerFormat } from '../report/answer.js';
import { UserError } from '../util/user-error.js';
import { JSON_OPTION } from './shared-options.js';

/** Options of commands that answer with a table. */
export const ANSWER_OPTIONS = {
    rows: {
        kind: 'integer',
        min: 1,
        default: null,
        defaultText: 'depends on the question',
        placeholder: '<number>',
        group: 'What you see',
        about: 'Maximum number of rows in the answer',
        decides: 'display',
        only: 'command line',
    },
    format: {
        kind: 'choice',
        choices: ['table', 'json', 'csv', 'markdown', 'parquet'],
        default: 'table',
        group: 'What you see',
        about: 'How the answer is written; Parquet needs --output',
        decides: 'display',
        only: 'command line',
    },
    ...JSON_OPTION,
} as const satisfies OptionTable;

/** The format of an answer, and where to write it; null: stdout. */
export interface AnswerTarget {
    readonly format: AnswerFormat;
    readonly output: string | null;
}

/** @throws UserError (exit 2) for Parquet on stdout */
export function chooseTarget(values: {
    readonly format: AnswerFormat;
    readonly json: boolean;
    readonly output: string | null;
}): AnswerTarget {
    const format = values.json ? 'json' : values.format;
    if (format === 'parquet' && values.output === null)
        throw new UserError('--format parquet needs --output: Parquet is not text');
    return { format, output: values.output };
}

/** Writes an answer to its target in the requested format. @throws WriteError (exit 4), and the UserError of its query */
export async function writeAnswer(
    answer: Answer,
    { format, output }: AnswerTarget,
    scratch: string,
): Promise<void> {
    const [{ renderAnswer }, { describeStdout: stdoutPage }, { makeOutputFile, writeText }] =
        await Promise.all([
            import('../report/answer.js'),
            import('../compose/output.js'),
            import('../host/output-file.js'),
        ]);
    if (format !== 'parquet') {
        await writeText(output, renderAnswer(answer, format, stdoutPage()));
        return;
    }
    if (output === null) return;
    const [{ answerLines, encodeAnswer }, { LongestLine }] = await Promise.all([
        import('../results/ask/answer-parquet.js'),
        import('../results/record/lines.js'),
    ]);
    const longest = new LongestLine();
    const lines = `${scratch}/answer.jsonl`;
    await writeText(lines, answerLines(answer, longest));
    await makeOutputFile(output, (staging) => encodeAnswer(answer, lines, longest.bytes, staging));
}
