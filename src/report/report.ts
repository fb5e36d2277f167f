import type { DirectorySample, RemovedSamples } from '../model/directory-sample.js';
import { type ComputedLimits, isOverloaded } from '../model/entry.js';
import { readOnSamples } from '../model/sample-tests.js';
import { type GroupTally, type SampleTally } from '../model/tally.js';
import { LIST_BOUND, TallySum, type TotalTally } from '../model/tally-sum.js';
import { escapeLine } from '../util/printable.js';
import { count, formatCount, formatDuration, groupTitle, formatPercent } from './format.js';
import type { Page } from './page.js';
import {
    countAccepted,
    countRated,
    type Rate,
    computeTrueNegativeRate,
    computeTruePositiveRate,
} from './rates.js';
import { RemovedList, renderRemoved } from './removed.js';
import { Columns, ReportSamples, type SampleRow } from './report-samples.js';
import {
    renderAboveOwn,
    countFailed,
    renderFailures,
    renderInPart,
    renderNearLimit,
    openIn,
    orderGroups,
    renderRates,
    skipLines,
    formatTimeOutHints,
    renderUnexpected,
    renderVerdictTable,
} from './sections.js';
import { type Cell, type Column, renderLongTable } from './table.js';
import type { SuccessWord } from './success-word.js';
import { renderWeakTests } from './weak-tests.js';

/** Content of `resume-run report`: figures per sample and in total. */
export interface Report {
    readonly total: TotalTally;
    readonly samples: ReportSamples;
    /** How outputs were compared for samples that name no checker, by dataset format; null if unknown. */
    readonly comparison: Readonly<Record<string, string>> | null;
    readonly removed: RemovedSamples;
}

/** Reads all samples of a directory. Memory grows by about thirty bytes per sample. */
export async function collectReport(
    all: AsyncIterable<Pick<DirectorySample, 'standing' | 'tally' | 'computedLimits'>>,
): Promise<Report> {
    const sum = new TallySum();
    const removed = new RemovedList();
    const rows = new Columns();
    for await (const { standing, tally, computedLimits } of all) {
        if (standing === 'removed') {
            removed.add(tally.id);
            continue;
        }
        sum.add(tally);
        if (standing === 'not begun') continue;
        const { id, isComplete, groups } = tally;
        const [unexpected, nearLimit] = [tally.unexpected.length, tally.nearLimit.length];
        const computedLimit = computedLimits === null ? null : describeLimit(computedLimits);
        rows.push({ id, isComplete, groups, unexpected, nearLimit, computedLimit });
    }
    const samples = ReportSamples.of(rows).sortById();
    return { total: sum.value(), samples, comparison: null, removed: removed.value() };
}

function describeLimit({ time, slowest, load, cut }: ComputedLimits): SampleRow['computedLimit'] {
    return { time, slowest, ...(load === undefined ? {} : { load }), ...(cut === undefined ? {} : { cut }) };
}

/** The counts in a group's cells: `accepted` of `judged`, or for incorrect solutions `rejected` of `judged`. */
export function countHits(
    name: string,
    group: GroupTally,
): { readonly hits: number; readonly judged: number } {
    const judged = countRated(group);
    const accepted = countAccepted(group);
    const rejects = (readOnSamples(name) ?? name) === 'incorrect_solution';
    return { hits: rejects ? judged - accepted : accepted, judged };
}

/** The report as text. Yields line by line: the table of a million samples is a hundred megabytes. */
export function* renderReport(report: Report, page: Page): Generator<string> {
    const { total } = report;
    const all = { most: LIST_BOUND };
    const sections: Iterable<string>[] = [
        [
            `${formatCount(total.samples, 'sample')}, ${count(total.completeSamples)} complete`,
            ...renderRates(total.groups, page),
            ...formatComparisonLines(report),
        ],
        renderWeakTests(report.samples, page),
        renderUnexpected(total, page, all),
        renderInPart(total, page, all),
        renderVerdictTable(total.groups, page),
        formatSampleTable(report, page),
        renderNearLimit(total, page, all),
        formatComputedLimitLines(report, page),
        formatTimeOutHints(total, page),
        renderAboveOwn(total, page, all),
        renderFailures(countFailed(total.groups), total.failures, page, all),
        skipLines(total.skips, page, all),
        renderRemoved(report.removed, page, LIST_BOUND),
    ];
    let isFirst = true;
    for (const lines of sections) {
        let isEmpty = true;
        for (const line of lines) {
            if (isEmpty && !isFirst) yield '\n';
            isEmpty = false;
            yield `${line}\n`;
        }
        if (!isEmpty) isFirst = false;
    }
}

function formatComparisonLines({ comparison }: Report): string[] {
    const formats = Object.entries(comparison ?? {});
    if (formats.length === 0) return [];
    const named = formats.map(([format, checker]) => `${escapeLine(checker)} (${escapeLine(format)})`);
    return [`output compared by ${named.join(', ')}`];
}

function formatSampleTable(report: Report, { width, style, success }: Page): Iterable<string> {
    if (report.samples.length === 0) return [];
    const groups = orderGroups(report.total.groups).map(([name]) => name);
    const columns: Column[] = [
        { title: 'sample', align: 'left', atLeast: 16 },
        ...groups.flatMap((name): Column[] => [
            // The full title would be wider than any of its cells.
            { title: name === 'incorrect_solution' ? 'incorrect' : groupTitle(name), align: 'right' },
            { title: nameRate(name, success), align: 'right' },
        ]),
        { title: 'failed', align: 'right' },
        { title: 'skipped', align: 'right' },
        { title: 'open', align: 'right' },
    ];
    const buildRow = (sample: SampleRow): Cell[] => [
        sample.id,
        ...groups.flatMap((name) => groupCells(name, sample, style.yellow)),
        ...(['failed', 'skipped', 'open'] as const).map((what): Cell => {
            const number = sumGroups(sample.groups, what);
            return number === 0 ? { text: '·', paint: style.dim } : count(number);
        }),
    ];
    const rows = mapEach(report.samples, buildRow);
    return renderLongTable(columns, rows, { width, paintTitle: style.dim });
}

/** Lists computed limits: their origin explains many unexpected verdicts. */
function* formatComputedLimitLines({ samples }: Report, { width, style }: Page): Generator<string> {
    const limited = samples.filter(({ computedLimit }) => computedLimit !== null);
    if (limited.length === 0) return;
    const busy = limited.filter(({ computedLimit }) => hasBusyLoad(computedLimit)).length;
    const rows = mapEach(limited, ({ id, computedLimit, nearLimit }): Cell[] => {
        if (computedLimit === null) return [];
        const { time, slowest, load, cut } = computedLimit;
        const notes = [
            `slowest accepted run ${formatDuration(slowest)}`,
            load === undefined ? '' : `load ${load.average} on ${formatCount(load.processors, 'processor')}`,
            nearLimit === 0 ? '' : `${formatCount(nearLimit, 'verdict')} within 10 % of it`,
            cut === undefined
                ? ''
                : `without ${formatCount(cut.programs, 'solution')} that --timeout ${cut.timeout} stopped`,
        ].filter((note) => note !== '');
        const text = notes.join(', ');
        const isBusy = hasBusyLoad(computedLimit);
        return [escapeLine(id), formatDuration(time), isBusy ? { text, paint: style.yellow } : text];
    });
    const columns = [
        { title: '', align: 'left', atLeast: 16 },
        { title: '', align: 'right' },
        { title: '', align: 'left' },
    ] as const;
    yield style.bold('Computed time limits');
    yield* renderLongTable(columns, rows, { width, indent: '  ' });
    if (busy > 0)
        yield `  ${formatCount(busy, 'limit')} computed while this machine was overloaded: --rerun computed-limits measures again.`;
}

const hasBusyLoad = (limit: SampleRow['computedLimit']): boolean =>
    limit?.load !== undefined && isOverloaded(limit.load);

/** Maps each sample, again on every iteration. */
function mapEach<T>(samples: Iterable<SampleRow>, make: (sample: SampleRow) => T): Iterable<T> {
    return {
        *[Symbol.iterator]() {
            for (const sample of samples) yield make(sample);
        },
    };
}

function groupCells(name: string, sample: SampleRow, paint: (text: string) => string): Cell[] {
    const group = Object.hasOwn(sample.groups, name) ? sample.groups[name] : undefined;
    if (group === undefined) return ['', ''];
    const { hits, judged } = countHits(name, group);
    const rate = formatPercent(hits, judged);
    return [`${count(hits)}/${count(judged)}`, hits === judged ? rate : { text: rate, paint }];
}

export function nameRate(group: string, success: SuccessWord = 'accepted'): string {
    if (readOnSamples(group) === 'incorrect_solution') return 'rejected';
    return group === 'solution' ? 'TPR' : group === 'incorrect_solution' ? 'TNR' : success;
}

export function sumGroups(groups: SampleTally['groups'], what: 'failed' | 'skipped' | 'open'): number {
    return Object.values(groups).reduce(
        (all, group) => all + (what === 'open' ? openIn(group) : group[what]),
        0,
    );
}

/**
 * The report as one JSON value, including the rates. Yields pieces, since the text for a million samples would exceed the longest
 * possible string.
 */
export function* reportJson(report: Report): Generator<string> {
    const value = {
        total: { ...report.total, ...computeRates(report.total.groups) },
        ...(report.comparison === null ? {} : { comparison: report.comparison }),
        removed: report.removed,
        samples: [],
    };
    const empty = JSON.stringify(value, null, INDENT);
    const end = '[]\n}';
    yield empty.slice(0, -end.length);
    let separator = '[';
    for (const sample of report.samples) {
        const text = JSON.stringify({ ...sample, ...computeRates(sample.groups) }, null, INDENT);
        yield `${separator}\n${text}`.replaceAll('\n', `\n${' '.repeat(2 * INDENT)}`);
        separator = ',';
    }
    yield report.samples.length === 0 ? `${end}\n` : `\n${' '.repeat(INDENT)}]\n}\n`;
}

const INDENT = 4;

function computeRates(groups: SampleTally['groups']): {
    readonly tpr: Rate | null;
    readonly tnr: Rate | null;
} {
    return { tpr: computeTruePositiveRate(groups), tnr: computeTrueNegativeRate(groups) };
}
