import type { Attempt, Entry, ExecInfo, JudgeResult, OpenTask, TestResult } from '../model/entry.js';
import { chooseExpected } from '../model/sample.js';
import { isInPart } from '../model/expectation.js';
import { formatExpected } from './expected-verdicts.js';
import { findMissedScore } from '../model/scoring.js';
import { getVerdict } from '../model/tally.js';
import { findWork } from '../model/work.js';
import { escapeLine } from '../util/printable.js';
import { count, formatBytes, formatDuration, SHORT_VERDICT } from './format.js';
import type { Page } from './page.js';
import { IN_PART_HINT } from './sections.js';
import { chooseSuccessWord } from './success-word.js';
import { type Cell, renderTable } from './table.js';

/** Data about a task for `resume-run show`. */
export interface ShownTask {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    readonly executor: string | null;
    readonly state:
        | { readonly kind: 'finished'; readonly entry: Entry }
        | { readonly kind: 'failed' | 'pending'; readonly open: OpenTask }
        | { readonly kind: 'skipped'; readonly skipped: { readonly reason: string } };
    readonly test: { readonly input: string; readonly output: string } | { readonly missing: string } | null;
}

/** Most lines shown of a text. */
const MAX_LINES = 200;

/** One task as text: its outcome, its attempts, the explanation, and its source. */
export function renderTask(task: ShownTask, page: Page): string {
    const sections = [formatHeadLines(task, page), ...formatStateSections(task, page)];
    return sections
        .filter((lines) => lines.length > 0)
        .map((lines) => `${lines.join('\n')}\n`)
        .join('\n');
}

function formatHeadLines({ sample, group, index, executor, state }: ShownTask, { style }: Page): string[] {
    const where = style.bold(`${escapeLine(sample)}  ${escapeLine(group)} ${index}`);
    switch (state.kind) {
        case 'finished': {
            const { entry } = state;
            const verdict = getVerdict(entry) ?? 'no verdict';
            const expected = chooseExpected(group, entry.expected ?? null);
            const isExpected = expected === null || expected.some((one) => one === verdict);
            const word = verdict === 'Accepted' ? chooseSuccessWord(executor) : 'accepted';
            const said = word === 'accepted' ? verdict : word;
            const wanted = isExpected ? '' : style.yellow(`, expected ${formatExpected(expected)}`);
            return [
                `${where}  ${escapeLine(said)}${wanted}`,
                ...formatFactLines(entry),
                ...scoreLines(entry),
                ...inPartLines(entry, group),
            ];
        }
        case 'failed':
            return [
                `${where}  failed (${escapeLine(state.open.reason)}), retried at the next start`,
                `  ${escapeLine(state.open.message)}`,
            ];
        case 'pending':
            return [`${where}  not final yet (${escapeLine(state.open.reason)})`];
        case 'skipped':
            return [`${where}  skipped: ${escapeLine(state.skipped.reason)}`];
    }
}

/** `Score 30 of 100: sample 0, secret/group1 30`; empty if the problem has no scores. */
function scoreLines({ result, expected_scores: expected }: Entry): string[] {
    if (!('tests' in result) || !('score' in result) || typeof result.score !== 'number') return [];
    const { score, best_score: best, groups = [] } = result as JudgeResult;
    const of = best === undefined ? '' : ` of ${best}`;
    const parts = groups.map((group) => `${group.name} ${group.score} (${SHORT_VERDICT[group.verdict]})`);
    const missed = findMissedScore(expected, result);
    const wanted =
        missed === null
            ? ''
            : `, expected ${missed.min} to ${missed.max}${missed.group === undefined ? '' : ` for ${missed.group}`}`;
    return [escapeLine(`Score ${score}${of}${wanted}: ${parts.join(', ')}`)];
}

/** States that a solution scored in part, as its package allows. */
function inPartLines(entry: Entry, group: string): string[] {
    const verdict = getVerdict(entry);
    const missedScore = findMissedScore(entry.expected_scores, entry.result);
    if (verdict === null || !isInPart({ group, verdict, named: entry.expected ?? null, missedScore }))
        return [];
    return ['A solution that is accepted in part is not counted in any rate.', IN_PART_HINT];
}

function formatFactLines({ language, name, limits }: Entry): string[] {
    const facts = [
        language ?? '',
        name ?? '',
        limits === undefined
            ? ''
            : `limits ${formatDuration(limits.time)}, ${limits.memory === null ? 'memory not limited' : formatLimit(limits.memory)}, output ${formatLimit(limits.output)}`,
    ].filter((fact) => fact !== '');
    return facts.length === 0 ? [] : [escapeLine(facts.join(', '))];
}

/** `256 MiB`, as datasets and options write limits; other sizes than a whole number of MiB are formatted as usual. */
const formatLimit = (bytes: number): string =>
    bytes % 2 ** 20 === 0 ? `${count(bytes / 2 ** 20)} MiB` : formatBytes(bytes);

function formatStateSections(task: ShownTask, page: Page): string[][] {
    const { state } = task;
    switch (state.kind) {
        case 'finished':
            return [
                formatAttemptLines(state.entry.attempts, page),
                ...testSections(state.entry, task.test, page),
                ...formatWorkSections(state.entry, page),
                formatTextLines('Source', state.entry.solution ?? null, page),
            ];
        case 'failed':
        case 'pending':
            return [formatAttemptLines(state.open.attempts, page)];
        case 'skipped':
            return [];
    }
}

function formatAttemptLines(attempts: readonly Attempt[], { style, width }: Page): string[] {
    if (attempts.length === 0) return [];
    const rows = attempts.map((one): Cell[] => [
        String(one.attempt),
        one.verdict ?? one.failure ?? '',
        formatDuration(one.duration),
        [one.api_used, one.worker_id, one.sandbox ?? ''].filter((part) => part !== '').join(' '),
        one.message ?? '',
    ]);
    const columns = [
        { title: '', align: 'right' },
        { title: '', align: 'left' },
        { title: '', align: 'right' },
        { title: '', align: 'left' },
        { title: '', align: 'left', atLeast: 20 },
    ] as const;
    return [style.bold('Attempts'), ...renderTable(columns, rows, { width, indent: '  ' })];
}

function testSections(entry: Entry, texts: ShownTask['test'], page: Page): string[][] {
    const list: unknown = 'tests' in entry.result ? entry.result.tests : [];
    const tests = Array.isArray(list) ? (list as readonly TestResult[]) : [];
    const at = tests.findIndex((test) => !test.passed);
    const failed = tests[at];
    if (failed === undefined) return [];
    const { exec_info: info } = failed;
    const time = failed.cpu_time ?? failed.wall_time;
    const figures = [
        failed.verdict ?? '',
        time === null ? '' : formatDuration(time),
        failed.memory === null ? '' : formatBytes(failed.memory),
    ];
    const named = failed.name === undefined ? '' : ` (${failed.name})`;
    const head = `Test ${at + 1} of ${tests.length} that ran${named}: ${figures.filter((one) => one !== '').join(', ')}`;
    const step = info.run_result ?? info.compile_result;
    return [
        [page.style.bold(escapeLine(head)), ...formatMessageLines(info)],
        formatDifferenceLines(info, page),
        formatTextLines('Said (< the validator, > the program)', info.transcript ?? null, page),
        formatTextLines('Printed', readOutput(step, 'stdout'), page),
        formatTextLines('Printed to stderr', readOutput(step, 'stderr'), page),
        ...(texts === null
            ? []
            : 'missing' in texts
              ? [[`Its input and expected output are not shown: ${escapeLine(texts.missing)}`]]
              : [
                    formatTextLines('Input', texts.input, page),
                    formatTextLines('Expected output', texts.output, page),
                ]),
    ];
}

/** The row given to a command or a function, and the output that it produced; empty if programs were judged by tests. */
function formatWorkSections(entry: Entry, page: Page): string[][] {
    const work = findWork(entry);
    if (work === null) return [];
    const { row } = entry;
    const files = (['stdout_file', 'stderr_file'] as const).flatMap((key) => {
        const file = work.run?.[key];
        return file === undefined ? [] : [[escapeLine(`Its ${key.slice(0, 6)} is in ${file.path}`)]];
    });
    return [
        formatTextLines('Row', row === undefined ? null : JSON.stringify(row, null, 2), page),
        // The output of a command that was not done is shown with its test.
        ...(entry.result.accepted ? [formatTextLines('Printed', readOutput(work.run, 'stdout'), page)] : []),
        ...(entry.result.accepted
            ? [formatTextLines('Printed to stderr', readOutput(work.run, 'stderr'), page)]
            : []),
        ...files,
        formatTextLines(
            'Result',
            work.returned === null ? null : JSON.stringify(work.returned, null, 2),
            page,
        ),
    ];
}

function readOutput(step: unknown, stream: 'stdout' | 'stderr'): string | null {
    if (typeof step !== 'object' || step === null || !(stream in step)) return null;
    const text: unknown = (step as Readonly<Record<string, unknown>>)[stream];
    return typeof text === 'string' && text !== '' ? text : null;
}

function formatMessageLines({ checker_message: message }: ExecInfo): string[] {
    return message === undefined ? [] : [`  ${escapeLine(message)}`];
}

function formatDifferenceLines({ first_difference: difference }: ExecInfo, { style }: Page): string[] {
    if (difference === undefined) return [];
    return [
        style.bold(`First difference: line ${difference.line} of the expected output`),
        `  expected  ${escapeLine(difference.expected)}`,
        `  got       ${escapeLine(difference.got)}`,
    ];
}

function formatTextLines(title: string, text: string | null, { style }: Page): string[] {
    if (text === null) return [];
    const lines = text.replace(/\n$/, '').split('\n');
    const rest = lines.length - MAX_LINES;
    return [
        style.bold(title),
        ...lines.slice(0, MAX_LINES).map((line) => `  ${escapeLine(line.replaceAll('\t', '    '))}`),
        ...(rest > 0 ? [`  …and ${rest} more lines`] : []),
    ];
}
