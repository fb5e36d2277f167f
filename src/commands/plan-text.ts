import type { RunPlan } from '../compose.js';
import type { PlanCounts } from '../model/event.js';
import { renderRemoved } from '../report/removed.js';
import { PLAIN } from '../report/style.js';
import { escapeLine } from '../util/printable.js';

/** Most samples listed; `--json` lists all. */
const MOST = 50;

/** `--dry-run`: what would run and why, for people. */
export function planText({ dir, datasets, limits, part, due: listed, badRows, removed }: RunPlan): string {
    // Others only have their file brought up to date.
    const due = listed.filter((one) => one.due > 0);
    const again = part.finished + part.due - part.tasks;
    const lines = [
        ...datasets.map(({ path, format }) => `dataset ${escapeLine(path)} (${format})`),
        `results ${escapeLine(dir)}`,
        ...(limits === null ? [] : [limits]),
        `${part.due} of ${part.tasks} tasks would run, in ${due.length} of ${part.samples} samples; ` +
            `${part.finished} are finished${again > 0 ? ` (${again} of them run again)` : ''}, ${part.skipped} skipped`,
        ...Object.entries(part.dueBy).map(([reason, count]) => `  ${String(count).padStart(8)}  ${reason}`),
        ...(due.length > 0 ? ['samples'] : []),
        ...due.slice(0, MOST).map((one) => `  ${escapeLine(one.sample)}: ${reasons(one.dueBy)}`),
        ...(due.length > MOST ? [`  ...and ${due.length - MOST} more (--json lists all)`] : []),
        ...(removed === undefined ? [] : renderRemoved(removed, { width: Infinity, style: PLAIN }, MOST)),
        ...badRows.map((row) => `left out: ${escapeLine(row)}`),
    ];
    return `${lines.join('\n')}\n`;
}

function reasons(dueBy: PlanCounts['dueBy']): string {
    return Object.entries(dueBy)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(', ');
}
