import type { DueSample, RunPlan } from '../compose.js';
import type { PlanCounts } from '../model/event.js';
import type { WorkEstimate } from '../model/work-estimate.js';
import { formatCount } from '../report/format.js';
import { renderRemoved } from '../report/removed.js';
import { PLAIN } from '../report/style.js';
import { escapeLine } from '../util/printable.js';

/** Maximum number of samples listed; `--json` lists all. */
const MAX_LISTED = 50;

/** Output of `--dry-run` for people: what would run, and why. */
export function planText({
    dir,
    datasets,
    limits,
    part,
    eachDue,
    skips = {},
    badRows,
    removed,
    estimate,
}: RunPlan): string {
    const first = listFirst(eachDue());
    const count = part.samples - part.completeSamples;
    const again = part.finished + part.due - part.tasks;
    const lines = [
        ...datasets.map(({ path, format }) => `dataset ${escapeLine(path)} (${format})`),
        `results ${escapeLine(dir)}`,
        ...(limits === null ? [] : [limits]),
        `${part.due} of ${part.tasks} tasks would run, in ${count} of ${part.samples} samples; ` +
            `${part.finished} are finished${again > 0 ? ` (${again} of them run again)` : ''}, ${part.skipped} skipped`,
        ...Object.entries(part.dueBy).map(([reason, count]) => `  ${String(count).padStart(8)}  ${reason}`),
        ...(estimate === undefined || part.due === 0 ? [] : describeEstimate(estimate)),
        ...describeSkips(skips),
        ...(count > 0 ? ['samples'] : []),
        ...first.map((one) => `  ${escapeLine(one.sample)}: ${formatReasons(one.dueBy)}`),
        ...(count > MAX_LISTED ? [`  ...and ${count - MAX_LISTED} more (--json lists all)`] : []),
        ...(removed === undefined
            ? []
            : renderRemoved(removed, { width: Infinity, style: PLAIN }, MAX_LISTED)),
        ...badRows.map((row) => `left out: ${escapeLine(row)}`),
    ];
    return `${lines.join('\n')}\n`;
}

/** The samples to list; those without due tasks only have their file brought up to date. */
function listFirst(due: Iterable<DueSample>): readonly DueSample[] {
    const first: DueSample[] = [];
    for (const one of due) {
        if (one.due === 0) continue;
        first.push(one);
        if (first.length === MAX_LISTED) break;
    }
    return first;
}

/** Lines that estimate the cost of the requests, and state what the estimate cannot know. */
export function describeEstimate(estimate: WorkEstimate): readonly string[] {
    const { requests, promptTokens, answerTokens, assumedAnswer, models, cost, searches } = estimate;
    const parts = [
        ...models.map((one) => ({ name: one.model, cost: one.cost })),
        ...(searches === undefined ? [] : [{ name: `searches by ${searches.engine}`, cost: searches.cost }]),
    ];
    const priced = parts.filter((one) => one.cost !== null);
    const unpriced = parts.filter((one) => one.cost === null).map(({ name }) => escapeLine(name));
    const known = priced.reduce((sum, one) => sum + (one.cost ?? 0), 0);
    const most = assumedAnswer === null ? 'at most' : 'about';
    const dollars = `${most} $${known.toPrecision(3)}`;
    const price =
        cost !== null
            ? dollars
            : priced.length === 0
              ? `cost unknown: no price of ${unpriced.join(', ')} (--prices)`
              : `${dollars} without ${unpriced.join(', ')}, whose price is unknown (--prices)`;
    return [
        `estimate  ${formatCount(requests, 'request')}, about ${formatCount(promptTokens, 'token')} of prompts, ` +
            `${most} ${formatCount(answerTokens, 'token')} of answers; ${price}`,
        ...(assumedAnswer === null
            ? []
            : [
                  `          assuming ${formatCount(assumedAnswer, 'token')} for each answer (--max-tokens limits them)`,
              ]),
    ];
}

/** Reasons why tasks would be skipped, the most frequent first. */
function describeSkips(skips: NonNullable<RunPlan['skips']>): string[] {
    const reasons = Object.entries(skips).sort(([, a], [, b]) => b - a);
    if (reasons.length === 0) return [];
    return [
        'skipped',
        ...reasons
            .slice(0, MAX_LISTED)
            .map(([reason, count]) => `  ${String(count).padStart(8)}  ${escapeLine(reason)}`),
        ...(reasons.length > MAX_LISTED
            ? [`  ...and ${reasons.length - MAX_LISTED} more reasons (--json lists all)`]
            : []),
    ];
}

function formatReasons(dueBy: PlanCounts['dueBy']): string {
    return Object.entries(dueBy)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(', ');
}
