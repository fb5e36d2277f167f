import type { Answer } from '../model/answer.js';
import { isQuestionName, QUESTION_NAMES, QUESTIONS, type QuestionName } from '../results/ask/questions.js';
import type { AskEngine } from '../results/ask/engine.js';
import { findNearest } from '../util/nearest.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import { ANSWER_OPTIONS, type AnswerTarget, chooseTarget, writeAnswer } from './answer-output.js';
import { withAskEngine } from './ask-engine.js';
import { defineCommand } from './command.js';
import { RECORD_OPTIONS } from './records-of.js';

/** k of pass@k if `--k` is not given. */
const DEFAULT_K = [1];

export const command = defineCommand({
    usage: 'analyze [question] [--dir <dir> | --database <folder>] [--by <dimensions>] [--sql <query>]',
    about:
        'Answers questions about results, from result files or a database: ' +
        QUESTION_NAMES.map((name) => `${name} (${QUESTIONS[name].about})`).join('; '),
    arguments: { min: 0, max: 1, what: 'one question at most' },
    options: {
        ...RECORD_OPTIONS,
        by: {
            kind: 'text',
            default: null,
            defaultText: 'depends on the question',
            placeholder: '<fields>',
            group: 'What you see',
            about: 'Dimensions to group by, separated by commas: fields of records, or dimensions.<name>',
            decides: 'display',
            only: 'command line',
        },
        where: {
            kind: 'text',
            default: null,
            placeholder: '<SQL>',
            group: 'What you see',
            about: 'Only records for which this SQL condition is true',
            decides: 'display',
            only: 'command line',
        },
        sql: {
            kind: 'text',
            default: null,
            placeholder: '<query>',
            group: 'What you see',
            about: 'One SELECT of your own, over the views records, attempts, cells and runs',
            decides: 'display',
            only: 'command line',
        },
        audit: {
            kind: 'path',
            default: null,
            placeholder: '<path>',
            group: 'What you see',
            about: 'Check the consistency of a database: a database folder, master_database.json, or a database of the earlier tools (JSON, Parquet); exits 1 if there are findings',
            decides: 'display',
            only: 'command line',
        },
        k: {
            kind: 'text',
            default: null,
            defaultText: '1',
            placeholder: '<numbers>',
            group: 'What you see',
            about: 'The k of pass@k, separated by commas',
            decides: 'display',
            only: 'command line',
        },
        ...ANSWER_OPTIONS,
    },
    examples: [
        { line: 'resume-run analyze --dir results', about: 'Success rates by group' },
        { line: 'resume-run analyze --by language,verdict', about: 'By other dimensions' },
        { line: 'resume-run analyze pass-at-k --k 1,5 --database database', about: 'From a database' },
        {
            line: 'resume-run analyze --sql "select verdict, count(*) from records group by 1"',
            about: 'Any other question',
        },
    ],
    run: async ({ values, positionals }) => {
        const question = chooseQuestion(positionals[0] ?? null, values.sql);
        refuseUnusedOptions(question, values);
        const target = chooseTarget(values);
        if (values.audit !== null) return await audit(values.audit, target);
        const options = {
            by: values.by === null ? null : splitList(values.by),
            where: values.where,
            limit: values.rows,
            k: values.k === null ? DEFAULT_K : splitList(values.k).map(parseK),
        };
        const asked = values.sql === null ? await QUESTIONS[question].load() : null;
        const canRead = values.database === null && target.format !== 'parquet';
        const fromRecords = canRead ? (asked?.answerFromRecords?.(options) ?? null) : null;
        if (fromRecords !== null) {
            const { openBriefRecords, openRatedTasks } = await import('./records-of.js');
            const records = await (fromRecords.takesGroups ? openRatedTasks : openBriefRecords)(values);
            await writeAnswer(await fromRecords.answer(records), target, '');
            return 0;
        }
        const fields = values.where === null ? asked?.fields?.(options) : undefined;
        await withAskEngine(values, fields ?? null, async (engine, scratch) => {
            if (values.where !== null) await engine.requireCondition(values.where);
            const answer =
                asked === null ? await askSql(engine, values.sql ?? '') : await asked.answer(engine, options);
            await writeAnswer(answer, target, scratch);
        });
        return 0;
    },
});

async function audit(path: string, target: AnswerTarget): Promise<ExitCode> {
    if (target.format === 'parquet') throw new UserError('--audit writes a table, JSON, CSV or Markdown');
    const { auditDatabase } = await import('../results/ask/audit.js');
    const findings = await auditDatabase(path);
    const columns = [
        { name: 'where', kind: 'text' },
        { name: 'what', kind: 'text' },
    ] as const;
    const rows = findings.map(({ where, what }) => [where, what]);
    await writeAnswer(
        { question: 'audit', columns, rows, emptyText: 'No faults found.', notes: [] },
        target,
        '',
    );
    return findings.length === 0 ? 0 : 1;
}

async function askSql(engine: AskEngine, sql: string): Promise<Answer> {
    return { question: sql, ...(await engine.ask(sql)), notes: [] };
}

function chooseQuestion(name: string | null, sql: string | null): QuestionName {
    if (name === null) return 'rates';
    if (sql !== null) throw new UserError(`--sql replaces the question: leave out '${name}'`);
    if (isQuestionName(name)) return name;
    const meant = findNearest(name, QUESTION_NAMES);
    const hint = meant === null ? '' : ` (did you mean ${meant}?)`;
    throw new UserError(`expected a question (${QUESTION_NAMES.join(', ')}), got '${name}'${hint}`);
}

/** Refuses options that would have no effect, which the user would not notice. @throws UserError (exit 2) */
function refuseUnusedOptions(
    question: QuestionName,
    {
        sql,
        audit: audited,
        ...values
    }: Readonly<Record<'sql' | 'audit' | 'by' | 'where' | 'k', string | null>> & {
        readonly rows: number | null;
    },
): void {
    const takes: readonly string[] = QUESTIONS[question].takes;
    for (const name of ['by', 'where', 'k', 'rows'] as const) {
        if (values[name] === null) continue;
        if (audited !== null)
            throw new UserError(`--audit always checks the whole database: leave out --${name}`);
        if (sql !== null) throw new UserError(`--${name} cannot be used with --sql: write it into the query`);
        if (name !== 'where' && name !== 'rows' && !takes.includes(name))
            throw new UserError(`the question '${question}' has no option --${name}`);
    }
    if (audited !== null && sql !== null) throw new UserError('--audit and --sql exclude each other');
}

const splitList = (text: string): string[] =>
    text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');

function parseK(text: string): number {
    const k = Number(text);
    if (!/^\d{1,6}$/.test(text) || k < 1)
        throw new UserError(`--k: expected whole numbers from 1, such as 1,5,10, got '${text}'`);
    return k;
}
