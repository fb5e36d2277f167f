import type { FailedTask, GroupTally, SampleTally, TaskRef, Unexpected } from '../model/tally.js';
import type { TotalTally } from '../model/tally-sum.js';
import { chooseExpected } from '../model/sample.js';
import { readOnSamples } from '../model/sample-tests.js';
import { formatExpected } from './expected-verdicts.js';
import { VERDICTS, type Verdict } from '../model/verdict.js';
import { escapeLine } from '../util/printable.js';
import { count, formatCount, formatDuration, groupTitle, formatPercent, shortenVerdict } from './format.js';
import type { Page } from './page.js';
import type { SuccessWord } from './success-word.js';
import { countAccepted, countJudged, countRated } from './rates.js';
import { renderTable, type Cell } from './table.js';

/*
 * Sections shared by the closing summary, `status` and `report`: each is a list of lines.
 */

type Groups = SampleTally['groups'];

/** Groups of solutions first, then incorrect ones, then the others in their original order. */
export function orderGroups(groups: Groups): readonly (readonly [string, GroupTally])[] {
    const rank = (name: string): number => (name === 'solution' ? 0 : name === 'incorrect_solution' ? 1 : 2);
    return Object.entries(groups).sort(([a], [b]) => rank(a) - rank(b));
}

/** One line per group: its rate with both counts, followed by the tasks that it leaves out. */
export function renderRates(groups: Groups, { width, style, success = 'accepted' }: Page): string[] {
    const shown = orderGroups(groups);
    const rows = shown.map(([name, group]): Cell[] => {
        const judged = countRated(group);
        const rejects = (readOnSamples(name) ?? name) === 'incorrect_solution';
        const hits = rejects ? judged - countAccepted(group) : countAccepted(group);
        const label = name === 'solution' ? 'TPR' : name === 'incorrect_solution' ? 'TNR' : '';
        return [
            { text: label, paint: style.bold },
            { text: formatPercent(hits, judged), paint: style.bold },
            `${count(hits)} of ${count(judged)} ${describeWhich(name, success)}`,
            describeRest(group),
        ];
    });
    const columns = [
        { title: '', align: 'left' },
        { title: '', align: 'right' },
        { title: '', align: 'left' },
        { title: '', align: 'left' },
    ] as const;
    const lines = renderTable(columns, rows, { width });
    const onSamples = shown.filter(([name]) => readOnSamples(name) !== null);
    if (onSamples.length > 0) {
        const tasks = onSamples.reduce((sum, [, group]) => sum + group.total, 0);
        lines.push(
            `${formatCount(tasks, 'task')} judged by the sample tests alone (--sample-tests), not counted in any rate: sample tests accept wrong programs`,
        );
    }
    // If there are no solutions of either kind, no group has a label.
    const unlabelled = !Object.hasOwn(groups, 'solution') && !Object.hasOwn(groups, 'incorrect_solution');
    return unlabelled ? lines.map((line) => line.trimStart()) : lines;
}

/** The tasks of a group that its rate counts. */
function describeWhich(group: string, success: SuccessWord): string {
    const title = groupTitle(group);
    const kind = readOnSamples(group) ?? group;
    if (kind === 'incorrect_solution') return `${title} rejected`;
    return kind === 'solution' ? `${title} accepted` : `${success} in ${title}`;
}

/** Tasks that have neither a verdict nor a recorded failure. */
export function openIn(group: GroupTally): number {
    return Math.max(0, group.total - group.completed - group.failed);
}

function describeRest(group: GroupTally): string {
    const parts = [`${count(group.failed)} failed`, `${count(group.skipped)} skipped`];
    if (openIn(group) > 0) parts.push(`${count(openIn(group))} open`);
    const { inPart, scores } = group;
    if (inPart !== undefined) parts.push(`${count(inPart)} accepted in part`);
    if (scores !== undefined)
        parts.push(`mean score ${formatPercent(scores.shares, scores.tasks)} of the best`);
    return parts.join(', ');
}

/** Verdicts by group; only those that occurred. */
export function renderVerdictTable(groups: Groups, { width, style, success }: Page): string[] {
    const listed = orderGroups(groups);
    const seen = VERDICTS.filter((verdict) => listed.some(([, group]) => (group.verdicts[verdict] ?? 0) > 0));
    if (seen.length === 0) return [];
    const columns = [
        { title: success === 'done' ? 'outcome' : 'verdicts', align: 'left' as const, atLeast: 12 },
        ...seen.map((verdict) => ({ title: shortenVerdict(verdict, success), align: 'right' as const })),
    ];
    const rows = listed.map(([name, group]) => [
        groupTitle(name),
        ...seen.map((verdict): Cell => {
            const number = group.verdicts[verdict] ?? 0;
            return number === 0 ? { text: '·', paint: style.dim } : count(number);
        }),
    ]);
    return renderTable(columns, rows, { width, paintTitle: style.dim });
}

/**
 * The expected verdicts of a task, unless its group implies them: `expected Accepted or WrongAnswer`. Partial acceptance of a
 * solution is not mentioned.
 */
export function describeExpectation(task: Unexpected): string {
    const implied = listWhole(chooseExpected(task.group, null) ?? []);
    const expected = listWhole(task.expected);
    const same = implied.length === expected.length && expected.every((verdict) => implied.includes(verdict));
    return same ? '' : `expected ${formatExpected(task.expected)}`;
}

const listWhole = (verdicts: readonly Verdict[]): readonly Verdict[] =>
    verdicts.filter((verdict) => verdict !== 'PartiallyAccepted');

/**
 * Details that help to see why: `CPP, test 4, 1.2 s, expected TimeLimitExceeded`; empty if nothing is known. Tests are numbered
 * from 1.
 */
export function describeTask(task: Unexpected): string {
    const { language, failedTest, time } = task;
    return [
        language ?? '',
        failedTest === undefined ? '' : `test ${failedTest + 1}`,
        time === undefined ? '' : formatDuration(time),
        describeExpectation(task),
        scoreExpectation(task),
    ]
        .filter((part) => part !== '')
        .join(', ');
}

/** `score 10, expected 30 for secret/group1`; empty if no score was missed. */
export function scoreExpectation({ score, missedScore }: Unexpected): string {
    if (missedScore === undefined) return '';
    const { group, min, max } = missedScore;
    const wanted = min === max ? `${min}` : `${min} to ${max}`;
    return group === undefined
        ? `score ${score ?? 0}, expected ${wanted}`
        : `expected a score of ${wanted} for ${group}`;
}

export interface ShownListOptions {
    /** Maximum number of entries. */
    readonly most: number;
    /** Where to find the rest; absent: nowhere, as in `report` itself. */
    readonly more?: string;
}

/** Lists tasks with an unexpected verdict, or states that there are none; empty if nothing was expected. */
export function renderUnexpected(
    { unexpectedCount: total, unexpected: list, groups }: TotalTally,
    page: Page,
    options: ShownListOptions,
): string[] {
    if (total === 0) {
        const judged = Object.entries(groups).reduce(
            (sum, [name, group]) => sum + (chooseExpected(name, null) === null ? 0 : countJudged(group)),
            0,
        );
        return judged === 0 ? [] : [`All ${formatCount(judged, 'verdict')} as expected.`];
    }
    const rows = list
        .slice(0, options.most)
        .map((task): Cell[] => [
            ...formatTaskCells(task),
            { text: task.verdict, paint: page.style.yellow },
            describeTask(task),
        ]);
    const columns = [
        ...TASK_COLUMNS,
        { title: '', align: 'left' as const },
        { title: '', align: 'left' as const, atLeast: 12 },
    ];
    return [
        page.style.bold(`Unexpected: ${formatCount(total, 'verdict')}`),
        ...renderTable(columns, rows, { width: page.width, indent: '  ' }),
        ...formatTheRest(total, rows.length, options),
    ];
}

/** Lists solutions that scored in part, as their packages allow; empty if there are none. */
export function renderInPart(
    { inPartCount: total, inPart: list }: TotalTally,
    page: Page,
    options: ShownListOptions,
): string[] {
    if (total === 0) return [];
    const rows = list
        .slice(0, options.most)
        .map((task) => [...formatTaskCells(task), `score ${task.score} of ${task.best}`]);
    const columns = [...TASK_COLUMNS, { title: '', align: 'left' as const, atLeast: 16 }];
    return [
        page.style.bold(`Accepted in part: ${formatCount(total, 'solution')}, not counted in any rate`),
        ...renderTable(columns, rows, { width: page.width, indent: '  ' }),
        ...formatTheRest(total, rows.length, options),
        IN_PART_HINT,
    ];
}

/** Where packages keep solutions that are not meant to reach the best score. */
export const IN_PART_HINT =
    '  If that is intended, legacy packages keep them in submissions/partially_accepted/, and 2025-09 packages state a score in submissions.yaml.';

/** Lists tasks whose time came near the limit; empty if there are none. */
export function renderNearLimit(
    { nearLimitCount, nearLimit }: TotalTally,
    page: Page,
    options: ShownListOptions,
): string[] {
    return formatTaskLines('Within 10 % of the time limit', nearLimitCount, nearLimit, page, options);
}

/** Lists accepted runs that took longer than the sample's own limit, which `--limits flat` ignored; empty if there are none. */
export function renderAboveOwn(
    { aboveOwnCount, aboveOwn }: TotalTally,
    page: Page,
    options: ShownListOptions,
): string[] {
    return formatTaskLines(
        "Accepted above the sample's own time limit",
        aboveOwnCount,
        aboveOwn,
        page,
        options,
    );
}

/**
 * Explains solutions that should be accepted but timed out because of our settings: just beyond their problem's own limit, which
 * was set on a faster machine (names the factor that would let them pass), or because of `--timeout`. Empty if there are none.
 */
export function formatTimeOutHints({ unexpected }: TotalTally, { style }: Page): string[] {
    const solutions = unexpected.filter(({ expected }) => expected.includes('Accepted'));
    const ratios = solutions.flatMap(({ timeInLimits = [] }) => timeInLimits);
    const timeouts = solutions.flatMap(({ stoppedByTimeout = [] }) => stoppedByTimeout);
    const lines: string[] = [];
    if (ratios.length > 0) {
        const over = (ratio: number): string => `${Math.max(1, Math.round((ratio - 1) * 100))}`;
        const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
        const range = over(least) === over(most) ? over(most) : `${over(least)} to ${over(most)}`;
        const factor = (Math.ceil(most * 100) / 100).toFixed(2);
        lines.push(
            style.bold(
                `${countSolutions(ratios)} that should be accepted took ${range} % longer than the time limit of the problem`,
            ),
            `  This machine seems slower than the one the limit was set on: --time-factor ${factor} lets ${ratios.length === 1 ? 'it' : 'them'} pass the tests that failed.`,
        );
    }
    if (timeouts.length > 0)
        lines.push(
            style.bold(
                `${countSolutions(timeouts)} that should be accepted ${timeouts.length === 1 ? 'was' : 'were'} stopped by --timeout ${Math.max(...timeouts)}`,
            ),
            `  The ${timeouts.length === 1 ? 'problem allows' : 'problems allow'} more time or set${timeouts.length === 1 ? 's' : ''} no limit: a larger --timeout judges ${timeouts.length === 1 ? 'it' : 'them'} again.`,
        );
    return lines;
}

const countSolutions = ({ length }: readonly number[]): string => formatCount(length, 'solution');

function formatTaskLines(
    title: string,
    total: number,
    list: readonly TaskRef[],
    page: Page,
    options: ShownListOptions,
): string[] {
    if (total === 0) return [];
    const rows = list.slice(0, options.most).map(formatTaskCells);
    return [
        page.style.bold(`${title}: ${formatCount(total, 'verdict')}`),
        ...renderTable(TASK_COLUMNS, rows, { width: page.width, indent: '  ' }),
        ...formatTheRest(total, rows.length, options),
    ];
}

/** Lists tasks that were given up for now, with the reason; empty if there are none. */
export function renderFailures(
    total: number,
    list: readonly FailedTask[],
    page: Page,
    options: ShownListOptions,
): string[] {
    if (total === 0) return [];
    const missing = list.filter(({ reason }) => reason === 'environment');
    const others = list.filter(({ reason }) => reason !== 'environment');
    const lacking = `Not judged, because this machine lacks what they import: ${formatCount(missing.length, 'task')}`;
    return [
        ...formatFailureTable(
            `Failed: ${formatCount(total - missing.length, 'task')}`,
            total - missing.length,
            others,
            page,
            options,
        ),
        ...(missing.length === 0 ? [] : formatFailureTable(lacking, missing.length, missing, page, options)),
    ];
}

function formatFailureTable(
    title: string,
    total: number,
    list: readonly FailedTask[],
    page: Page,
    options: ShownListOptions,
): string[] {
    if (total === 0) return [];
    const shown = list.slice(0, options.most);
    const rows = shown.map((task): Cell[] => [
        ...formatTaskCells(task),
        { text: task.reason, paint: page.style.red },
    ]);
    const columns = [...TASK_COLUMNS, { title: '', align: 'left' as const }];
    const lines = renderTable(columns, rows, { width: page.width, indent: '  ' });
    return [
        page.style.bold(`${title}, retried at the next start`),
        // A message is a whole sentence: it goes below its line, where the table never cuts it.
        ...lines.flatMap((line, i) => [line, `    ${escapeLine(shown[i]?.message ?? '')}`]),
        ...formatTheRest(total, rows.length, options),
    ];
}

/** Lists why tasks were skipped; empty if none was. */
export function skipLines(skips: TotalTally['skips'], page: Page, options: ShownListOptions): string[] {
    const reasons = Object.entries(skips).sort(([, a], [, b]) => b - a);
    if (reasons.length === 0) return [];
    const total = reasons.reduce((sum, [, number]) => sum + number, 0);
    const rows = reasons.slice(0, options.most).map(([reason, number]): Cell[] => [count(number), reason]);
    const columns = [
        { title: '', align: 'right' as const },
        { title: '', align: 'left' as const, atLeast: 24 },
    ];
    return [
        page.style.bold(`Skipped: ${formatCount(total, 'task')}`),
        ...renderTable(columns, rows, { width: page.width, indent: '  ' }),
        ...formatTheRest(reasons.length, rows.length, options),
    ];
}

/** Number of failed tasks in all groups. */
export function countFailed(groups: Groups): number {
    return Object.values(groups).reduce((sum, group) => sum + group.failed, 0);
}

const TASK_COLUMNS = [
    { title: '', align: 'left', atLeast: 12 },
    { title: '', align: 'left' },
    { title: '', align: 'left', atLeast: 8 },
] as const;

function formatTaskCells(task: TaskRef): string[] {
    return [task.sample, `${task.group} ${task.index}`, task.name ?? ''];
}

function formatTheRest(total: number, shown: number, options: ShownListOptions): string[] {
    if (total <= shown) return [];
    const where = options.more === undefined ? '' : ` (${options.more})`;
    return [`  …and ${count(total - shown)} more${where}`];
}
