import type { EndpointState } from '../model/event.js';
import type { DirectorySample, RemovedSamples } from '../model/directory-sample.js';
import { LIST_BOUND, TallySum, type TotalTally } from '../model/tally-sum.js';
import { escapeLine } from '../util/printable.js';
import { renderEndpoints } from './endpoint-table.js';
import { count, formatCount, formatDuration, formatPercent, formatRate } from './format.js';
import type { Page } from './page.js';
import { computeTrueNegativeRate, computeTruePositiveRate } from './rates.js';
import { RemovedList, renderRemoved } from './removed.js';
import {
    renderAboveOwn,
    countFailed,
    renderFailures,
    skipLines,
    renderInPart,
    renderNearLimit,
    openIn,
    renderRates,
    renderUnexpected,
    renderVerdictTable,
} from './sections.js';
import { buildShellCommand } from './shell.js';
import { chooseSuccessWord } from './success-word.js';

/** State of a results directory for `resume-run status`, read from its files without its lock. */
export interface DirectoryStatus {
    readonly dir: string;
    /** ISO 8601, UTC: when the state was read. */
    readonly at: string;
    /** Paths of the datasets that were run into it, from run.json. */
    readonly datasets: readonly string[];
    /** `--executor`, from run.json; null if it does not say. */
    readonly executor: string | null;
    /** Total size of the datasets; null if no run.json says. */
    readonly whole: { readonly samples: number; readonly tasks: number } | null;
    /** Over all samples of the datasets, including those without a result file. */
    readonly total: TotalTally;
    /** Number of samples that were started but are not complete; the list holds at most `LIST_BOUND`. */
    readonly incompleteCount: number;
    readonly incomplete: readonly string[];
    readonly removed: RemovedSamples;
    readonly holders: readonly Holder[];
    /** ISO 8601, UTC: the newest change of a result file; null if there is none. */
    readonly lastUpdate: string | null;
    /** Finished tasks per second of a running run, as far as the files tell; null if there is no run, or no information. */
    readonly rate: number | null;
    /** Servers that the runs use, or used until they ended, from live.json; empty if there are none. */
    readonly endpoints: readonly EndpointStatus[];
}

/** A server as last reported by a run. */
export interface EndpointStatus extends EndpointState {
    /** `0/4`; null for an unsharded run. */
    readonly shard: string | null;
    /** ISO 8601, UTC: when the run reported it. */
    readonly at: string;
}

/** A run that holds the directory, or held it until it died. */
export interface Holder {
    readonly host: string;
    readonly pid: number;
    /** ISO 8601, UTC. */
    readonly since: string;
    /** `0/4`; null for an unsharded run. */
    readonly shard: string | null;
    /** Null if unknown: the run is on another host. */
    readonly alive: boolean | null;
}

/** Adds up the samples of a directory; those that the datasets no longer contain are only listed. */
export async function addUp(
    samples: AsyncIterable<Pick<DirectorySample, 'standing' | 'tally'>>,
): Promise<Pick<DirectoryStatus, 'total' | 'incompleteCount' | 'incomplete' | 'removed'>> {
    const sum = new TallySum();
    const removed = new RemovedList();
    let incompleteCount = 0;
    const incomplete: string[] = [];
    for await (const { standing, tally } of samples) {
        if (standing === 'removed') {
            removed.add(tally.id);
            continue;
        }
        sum.add(tally);
        if (standing !== 'begun' || tally.isComplete) continue;
        incompleteCount += 1;
        if (incomplete.length < LIST_BOUND) incomplete.push(tally.id);
    }
    return { total: sum.value(), incompleteCount, incomplete, removed: removed.value() };
}

/** Number of tasks with a verdict, and of all tasks. */
function countTasks(status: DirectoryStatus): { readonly finished: number; readonly all: number } {
    let finished = 0;
    let inFiles = 0;
    let skipped = 0;
    for (const group of Object.values(status.total.groups)) {
        finished += group.completed;
        inFiles += group.total;
        skipped += group.skipped;
    }
    // run.json counts every task of the datasets, including those that cannot run here.
    return { finished, all: Math.max(inFiles, (status.whole?.tasks ?? 0) - skipped) };
}

/** Seconds until a running run is done; null if that is unknown. */
export function estimateStatusEta(status: DirectoryStatus): number | null {
    const { finished, all } = countTasks(status);
    return status.rate !== null && status.rate > 0 ? (all - finished) / status.rate : null;
}

/** The status as text: lines, each ending in a newline. */
export function renderStatus(status: DirectoryStatus, terminal: Page): string {
    const page = { ...terminal, success: chooseSuccessWord(status.executor) };
    const more = { most: 10, more: buildShellCommand(status.dir, 'report') };
    const sections = [
        formatHeadLines(status, page),
        renderRates(status.total.groups, page),
        renderVerdictTable(status.total.groups, page),
        renderUnexpected(status.total, page, more),
        renderInPart(status.total, page, more),
        renderNearLimit(status.total, page, more),
        renderAboveOwn(status.total, page, more),
        renderFailures(countFailed(status.total.groups), status.total.failures, page, more),
        skipLines(status.total.skips, page, more),
        formatIncompleteLines(status, page),
        formatEndpointLines(status, page),
        renderRemoved(status.removed, page, more.most),
    ];
    return sections
        .filter((lines) => lines.length > 0)
        .map((lines) => `${lines.join('\n')}\n`)
        .join('\n');
}

function formatHeadLines(status: DirectoryStatus, { style }: Page): string[] {
    const { finished, all } = countTasks(status);
    const samples = Math.max(status.total.samples, status.whole?.samples ?? 0);
    const lines = [
        `${style.bold(escapeLine(status.dir))}: ${count(finished)} of ${formatCount(all, 'task')} finished (${formatPercent(finished, all)}), ` +
            `${count(status.total.completeSamples)} of ${formatCount(samples, 'sample')} complete`,
    ];
    for (const dataset of status.datasets) lines.push(`dataset ${escapeLine(dataset)}`);
    for (const holder of status.holders) lines.push(formatHolderLine(holder, status, style));
    if (status.holders.every((holder) => holder.alive === false) && finished < all)
        lines.push(`nothing is running; to resume: ${buildShellCommand(status.dir)}`);
    if (status.lastUpdate !== null) {
        lines.push(`last result ${formatAgo(status.lastUpdate, status.at)} ago (${status.lastUpdate})`);
    }
    const seconds = estimateStatusEta(status);
    if (seconds !== null && status.rate !== null)
        lines.push(`${formatRate(status.rate)}, ETA ${formatDuration(seconds)}`);
    return lines;
}

function formatHolderLine(holder: Holder, status: DirectoryStatus, style: Page['style']): string {
    const part = holder.shard === null ? '' : ` on shard ${escapeLine(holder.shard)}`;
    const who = `process ${holder.pid} on ${escapeLine(holder.host)}${part}, started ${formatAgo(holder.since, status.at)} ago`;
    switch (holder.alive) {
        case true:
            return `${style.green('running')}: ${who}`;
        case false:
            return `${style.yellow('died without releasing the directory')}: ${who}`;
        case null:
            return `held from another host: ${who}`;
    }
}

function formatAgo(then: string, now: string): string {
    return formatDuration(Math.max(0, (Date.parse(now) - Date.parse(then)) / 1000));
}

function formatIncompleteLines(status: DirectoryStatus, { style }: Page): string[] {
    if (status.incompleteCount === 0) return [];
    const shown = status.incomplete.slice(0, 10);
    const rest = status.incompleteCount - shown.length;
    return [
        style.bold(`Begun, not complete: ${formatCount(status.incompleteCount, 'sample')}`),
        ...shown.map((id) => `  ${escapeLine(id)}`),
        ...(rest > 0 ? [`  …and ${count(rest)} more`] : []),
    ];
}

/** One table per run: shards of a directory use the same servers, but each has its own pool. */
function formatEndpointLines(status: DirectoryStatus, page: Page): string[] {
    const byRun = new Map<string, EndpointStatus[]>();
    for (const endpoint of status.endpoints) {
        const key = endpoint.shard ?? '';
        byRun.set(key, [...(byRun.get(key) ?? []), endpoint]);
    }
    return [...byRun].flatMap(([shard, endpoints], at) => {
        const part = shard === '' ? '' : ` of shard ${escapeLine(shard)}`;
        const since = formatAgo(endpoints[0]?.at ?? status.at, status.at);
        const heading = page.style.bold(`Endpoints${part}, ${since} ago`);
        return [...(at === 0 ? [] : ['']), heading, ...renderEndpoints(endpoints, page)];
    });
}

/** The status as one JSON value, including rates and estimates. */
export function renderStatusJson(status: DirectoryStatus): string {
    const { finished, all } = countTasks(status);
    const value = {
        ...status,
        tasks: { finished, all, open: openTasks(status) },
        tpr: computeTruePositiveRate(status.total.groups),
        tnr: computeTrueNegativeRate(status.total.groups),
        eta: estimateStatusEta(status),
    };
    return `${JSON.stringify(value, null, 4)}\n`;
}

function openTasks(status: DirectoryStatus): number {
    return Object.values(status.total.groups).reduce((sum, group) => sum + openIn(group), 0);
}
