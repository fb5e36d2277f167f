import { type MarkdownPart, renderMarkdownLine, renderMarkdownTable } from '../util/markdown.js';
import type { SampleTally } from '../model/tally.js';
import { groupTitle, formatPercent } from './format.js';
import { countHits, nameRate, type Report, sumGroups } from './report.js';
import { describeExpectation, orderGroups } from './sections.js';
import type { SuccessWord } from './success-word.js';

/**
 * The report as Markdown, for an issue or a pull request. Yields line by line: the text for a million samples is too long to
 * hold.
 */
export function* reportMarkdown(report: Report, success?: SuccessWord): Generator<string> {
    for (const line of formatTableLines(report, success)) yield `${line}\n`;
    for (const line of formatListLines(report)) yield `${line}\n`;
}

/** The lines below the table. */
function formatListLines(report: Report): string[] {
    const { total, removed } = report;
    const lines: string[] = [];
    const formats = Object.entries(report.comparison ?? {});
    if (formats.length > 0) {
        const named = formats.map(([format, checker]) =>
            renderMarkdownLine({ outside: checker }, ' (', { outside: format }, ')'),
        );
        lines.push('', `output compared by ${named.join(', ')}`);
    }
    if (total.unexpectedCount > 0) {
        lines.push('', `Unexpected verdicts: ${total.unexpectedCount}`, '');
        for (const task of total.unexpected) {
            const name = task.name === undefined ? [] : [' (', { outside: task.name }, ')'];
            const wanted = describeExpectation(task);
            const verdict = wanted === '' ? task.verdict : `${task.verdict}, ${wanted}`;
            const where = [{ outside: task.sample }, ': ', { outside: task.group }, ` ${task.index}`];
            lines.push(renderMarkdownLine('- ', ...where, ...name, `: ${verdict}`));
        }
        const rest = total.unexpectedCount - total.unexpected.length;
        if (rest > 0) lines.push(`- …and ${rest} more`);
    }
    if (total.inPartCount > 0) {
        lines.push('', `Solutions accepted in part, not counted in any rate: ${total.inPartCount}`, '');
        for (const task of total.inPart) {
            const name = task.name === undefined ? [] : [' (', { outside: task.name }, ')'];
            const where = [{ outside: task.sample }, ': ', { outside: task.group }, ` ${task.index}`];
            lines.push(renderMarkdownLine('- ', ...where, ...name, `: score ${task.score} of ${task.best}`));
        }
        const rest = total.inPartCount - total.inPart.length;
        if (rest > 0) lines.push(`- …and ${rest} more`);
    }
    if (removed.count > 0) {
        lines.push('', `No longer in the dataset, and not counted: ${removed.count}`, '');
        for (const id of removed.samples) lines.push(renderMarkdownLine('- ', { outside: id }));
    }
    return lines;
}

function formatTableLines(report: Report, success: SuccessWord | undefined): Iterable<string> {
    const groups = orderGroups(report.total.groups).map(([name]) => name);
    const titles = [
        'sample',
        ...groups.flatMap((name) => [formatTitle(name), nameRate(name, success)]),
        'failed',
        'skipped',
        'open',
    ];
    const row = (first: MarkdownPart, of: SampleTally['groups']): MarkdownPart[] => [
        first,
        ...groups.flatMap((name) => {
            const group = Object.hasOwn(of, name) ? of[name] : undefined;
            if (group === undefined) return ['', ''];
            const { hits, judged } = countHits(name, group);
            return [`${hits}/${judged}`, formatPercent(hits, judged)];
        }),
        ...(['failed', 'skipped', 'open'] as const).map((what) => String(sumGroups(of, what))),
    ];
    function* rows(): Generator<MarkdownPart[]> {
        for (const { id, groups: of } of report.samples) yield row({ outside: id }, of);
        yield row('**total**', report.total.groups);
    }
    return renderMarkdownTable(titles, rows());
}

/** Group names come from the dataset, except for the two with titles of our own. */
function formatTitle(group: string): MarkdownPart {
    const title = groupTitle(group);
    return title === group ? { outside: group } : title;
}
