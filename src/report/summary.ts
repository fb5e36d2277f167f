import type { RunEnd, WorkerFigures } from '../model/event.js';
import type { StopReason } from '../model/stop.js';
import type { GroupTally } from '../model/tally.js';
import { escapeLine } from '../util/printable.js';
import { unreachable } from '../util/unreachable.js';
import { renderEndpoints } from './endpoint-table.js';
import { compareNatural, count, formatCount, formatDollars, formatDuration, formatRate } from './format.js';
import type { Page } from './page.js';
import {
    renderAboveOwn,
    countFailed,
    renderFailures,
    renderInPart,
    renderNearLimit,
    openIn,
    renderRates,
    skipLines,
    formatTimeOutHints,
    renderUnexpected,
    renderVerdictTable,
} from './sections.js';
import { buildShellCommand } from './shell.js';
import { renderTable } from './table.js';

/** Most entries of a list in the summary; another command shows the rest. */
const MAX_LISTED = 10;
/** Most workers shown: the busiest ones. */
const MAX_WORKERS = 16;

export interface SummaryContext extends Page {
    /** The results directory as the user wrote it. */
    readonly dir: string;
    /** An extra section of the command, placed before the location of the results. */
    readonly section?: readonly string[];
}

/** The closing summary of a run, for stdout: lines, each ending in a newline. */
export function renderSummary(end: RunEnd, context: SummaryContext): string {
    const { totals } = end;
    const more = { most: MAX_LISTED, more: buildShellCommand(context.dir, 'report') };
    const sections = [
        formatOutcomeLines(end, context),
        renderRates(totals.groups, context),
        renderVerdictTable(totals.groups, context),
        renderUnexpected(totals, context, more),
        renderInPart(totals, context, more),
        renderNearLimit(totals, context, more),
        formatTimeOutHints(totals, context),
        renderAboveOwn(totals, context, more),
        renderFailures(countFailed(totals.groups), totals.failures, context, more),
        skipLines(totals.skips, context, more),
        formatWorkerLines(end.workers, context),
        renderEndpoints(end.endpoints, context),
        formatSpendingLines(end),
        context.section ?? [],
        formatWhereLines(end, context),
    ];
    return sections
        .filter((lines) => lines.length > 0)
        .map((lines) => `${lines.join('\n')}\n`)
        .join('\n');
}

function formatOutcomeLines(end: RunEnd, { style }: SummaryContext): string[] {
    const took = formatDuration(end.duration);
    const saved = `${formatCount(end.committed, 'task')} saved`;
    const did = end.committed > 0 ? `${saved}, ${formatRate(end.committed / end.duration)}` : saved;
    switch (end.outcome) {
        case 'finished':
            return end.committed === 0
                ? [style.bold(style.green(describeNothingDone(end)))]
                : [`${style.bold(style.green('Finished'))} in ${took}: ${did}.`];
        case 'finished with failures':
            return [
                `${style.bold(style.red(`Finished with ${formatCount(end.failed, 'failure')}`))} in ${took}: ${did}.`,
                'Failures are not verdicts; the next start retries them.',
            ];
        case 'stopped': {
            const lost = end.aborted === 0 ? '' : `, ${count(end.aborted)} interrupted`;
            return [
                `${style.bold(style.yellow('Stopped'))}${describeByWhom(end.stop)} after ${took}: ${saved}${lost}.`,
                ...explainStop(end.stop),
            ];
        }
    }
}

function describeNothingDone({ totals }: RunEnd): string {
    const groups = Object.values(totals.groups);
    const [finished, skipped] = [sum(groups, 'completed'), sum(groups, 'skipped')];
    return finished === 0 && skipped > 0
        ? `Nothing to do: ${formatCount(skipped, 'task')} skipped, none can run.`
        : 'Nothing left to do: all requested tasks are already finished.';
}

const sum = (groups: readonly GroupTally[], what: 'completed' | 'skipped'): number =>
    groups.reduce((all, group) => all + group[what], 0);

function describeByWhom(stop: StopReason | null): string {
    if (stop?.reason !== 'signal') return '';
    return stop.signal === 'SIGINT' ? ' by Ctrl-C (SIGINT)' : ` by ${stop.signal}`;
}

/** Why the run stopped, as an extra line; a signal is named in the first line. */
function explainStop(stop: StopReason | null): string[] {
    if (stop === null) return [];
    switch (stop.reason) {
        case 'signal':
            return [];
        case 'caller':
            return ['Reason: the calling program called abort().'];
        case 'endpoints':
        case 'disk':
        case 'budget':
        case 'halt':
            return [`Reason: ${escapeLine(stop.message)}.`];
        default:
            return unreachable(stop, 'stop reason');
    }
}

function formatWorkerLines(
    workers: readonly WorkerFigures[],
    { width, style, section }: SummaryContext,
): string[] {
    // Slots of the async mode are all alike; they are shown only if a command adds statistics of its own.
    const areWorkers = workers.some(({ workerId }) => !workerId.startsWith('async'));
    if (workers.length < 2 || !(areWorkers || section !== undefined)) return [];
    const shown = workers
        .toSorted((a, b) => b.attempts - a.attempts)
        .slice(0, MAX_WORKERS)
        .sort((a, b) => compareNatural(a.workerId, b.workerId));
    const columns = [
        { title: 'worker', align: 'left', atLeast: 12 },
        { title: 'attempts', align: 'right' },
        { title: 'failures', align: 'right' },
        { title: 'busy', align: 'right' },
    ] as const;
    const rows = shown.map((worker) => [
        worker.workerId,
        count(worker.attempts),
        count(worker.failures),
        formatDuration(worker.busy),
    ]);
    const lines = renderTable(columns, rows, { width, paintTitle: style.dim });
    return workers.length > shown.length
        ? [...lines, `…and ${count(workers.length - shown.length)} more`]
        : lines;
}

const NO_SEARCHES = { count: 0, cost: 0, unpriced: 0 } as const;

const countSearches = (searches: number): string =>
    `${count(searches)} ${searches === 1 ? 'search' : 'searches'}`;

/** What all requests to models used, next to what the kept results used. The difference is what was requested in vain. */
function formatSpendingLines({ spent }: RunEnd): string[] {
    if (spent === undefined || spent.answers + spent.unanswered === 0) return [];
    const { kept, answers, unanswered, unpriced, searches = NO_SEARCHES } = spent;
    const pricedSearches = searches.count - searches.unpriced;
    const priced = unpriced < answers || pricedSearches > 0;
    const cost = (amount: number): string => (priced ? `$${formatDollars(amount)}, ` : '');
    const forSearches =
        pricedSearches === 0 ? '' : `, $${formatDollars(searches.cost)} for ${countSearches(pricedSearches)}`;
    const parts = [
        `spent  ${cost(spent.cost)}${formatCount(spent.tokens, 'token')} in ${formatCount(answers, 'answer')}${forSearches}`,
        `kept  ${cost(kept.cost)}${formatCount(kept.tokens, 'token')}`,
    ];
    if (kept.judge !== undefined)
        parts.push(`judge  ${cost(kept.judge.cost)}${formatCount(kept.judge.tokens, 'token')}`);
    const lines = [parts.join('; ')];
    if (priced && unpriced > 0) lines.push(`the price of ${formatCount(unpriced, 'answer')} is unknown`);
    if (priced && searches.unpriced > 0)
        lines.push(`the price of ${countSearches(searches.unpriced)} is unknown`);
    if (kept.truncated > 0)
        lines.push(
            `${formatCount(kept.truncated, 'answer')} cut off at the token limit (finish_reason length); see --max-tokens`,
        );
    if (unanswered > 0)
        lines.push(
            `${formatCount(unanswered, 'request')} got no answer but may have been charged: the amount spent is a lower bound`,
        );
    return lines;
}

function formatWhereLines(end: RunEnd, { dir, style }: SummaryContext): string[] {
    const { samples, completeSamples, groups } = end.totals;
    const left = Object.values(groups).some((group) => openIn(group) > 0 || group.failed > 0);
    const next =
        left || end.outcome === 'stopped'
            ? ['Resume', buildShellCommand(dir)]
            : ['Details', buildShellCommand(dir, 'report')];
    return [
        `${style.dim('Results')}  ${escapeLine(dir)} (${count(completeSamples)} of ${formatCount(samples, 'sample')} complete)`,
        `${style.dim((next[0] ?? '').padEnd(7))}  ${next[1] ?? ''}`,
    ];
}
