import type { PlanCounts } from '../../model/event.js';
import type { StopReason } from '../../model/stop.js';
import { VERDICTS } from '../../model/verdict.js';
import { escapeLine } from '../../util/printable.js';
import {
    computeCurrentRate,
    countDone,
    estimateEta,
    findLongestRunning,
    type RunView,
    countRemaining,
} from './fold.js';
import {
    formatBytes,
    count,
    formatCount,
    formatDuration,
    formatPercent,
    formatRate,
    shortenVerdict,
} from '../format.js';
import { describeEndpoints, listShownEndpoints } from './live-endpoints.js';
import type { Style } from '../style.js';
import { chooseSuccessWord } from '../success-word.js';
import { cut, padEnd, padStart, measureWidth } from '../width.js';

/** Input of a live display besides the view. */
export interface Surroundings {
    /** Milliseconds since the epoch. */
    readonly now: number;
    /** Maximum columns of a line. */
    readonly width: number;
    readonly style: Style;
    /** Resident memory of this process, in bytes. */
    readonly memory: number;
    /** Load average of the last minute; null if the system has none. */
    readonly load: number | null;
}

/** Lines printed once at the start of a run. */
export function startLines(view: RunView): string[] {
    const { start } = view;
    if (start === null) return [];
    const { part, whole } = start;
    const chosen = part.samples === whole.samples ? '' : ` (chosen of ${count(whole.tasks)})`;
    const again = part.finished + part.due - part.tasks;
    const skipped = part.skipped > 0 ? `, ${count(part.skipped)} skipped` : '';
    return [
        `${start.dir}: ${formatCount(part.samples, 'sample')}, ${formatCount(part.tasks, 'task')}${chosen}: ` +
            `${count(part.finished)} finished${again > 0 ? ` (${count(again)} of them to run again)` : ''}, ${count(part.due)} to run${formatReasons(part)}${skipped}`,
        [
            start.executor,
            start.mode === 'queue'
                ? `up to ${formatCount(start.concurrency, 'task')} in the queue`
                : formatCount(start.concurrency, `${start.mode} worker`),
            ...(start.sandbox === null ? [] : [`sandbox ${start.sandbox}`]),
            ...(start.limits === null ? [] : [start.limits]),
        ].join(', '),
        ...(start.comparison === null ? [] : [start.comparison]),
    ].map(escapeLine);
}

/** Why tasks have to run, if there are other reasons than being new. */
function formatReasons(part: PlanCounts): string {
    const entries = Object.entries(part.dueBy).filter(([, number]) => number > 0);
    if (entries.length === 0 || (entries.length === 1 && entries[0]?.[0] === 'new')) return '';
    return ` (${entries.map(([reason, number]) => `${count(number)} ${reason}`).join(', ')})`;
}

/**
 * The live display: progress bars for samples and tasks, verdicts, rate and load, and servers if there are any. Each line fits
 * the width.
 */
export function renderLiveLines(view: RunView, around: Surroundings): string[] {
    const { tasks, samples } = view;
    const finished = countDone(view);
    const digits = Math.max(measureWidth(count(samples.total)), measureWidth(count(tasks.total)));
    return [
        formatBarLine('samples', samples.complete, samples.total, digits, around),
        formatBarLine('tasks', finished, tasks.total, digits, around),
        joinParts(formatVerdictParts(view, around.style), around),
        joinParts(formatPhaseParts(view, around), around),
        ...roundLines(view, around),
        ...(view.endpoints.size === 0 ? [] : [joinParts(describeEndpoints(view, around.style), around)]),
        ...listShownEndpoints(view).map((parts) => joinParts(parts, around)),
    ];
}

function roundLines(view: RunView, around: Surroundings): string[] {
    const parts = view.rounds.parts();
    return parts.length === 0 ? [] : [joinParts(parts, around)];
}

/** One log line, for use without a terminal. */
export function renderHeartbeat(view: RunView, around: Surroundings): string {
    const { tasks, samples } = view;
    const finished = countDone(view);
    const parts = [
        `tasks ${count(finished)}/${count(tasks.total)} (${formatPercent(finished, tasks.total)})`,
        `samples ${count(samples.complete)}/${count(samples.total)}`,
        ...formatVerdictParts(view, around.style),
        ...formatPhaseParts(view, around),
        ...view.rounds.parts(),
        ...describeEndpoints(view, around.style),
    ];
    return parts.join(' · ');
}

function formatBarLine(
    name: string,
    done: number,
    total: number,
    digits: number,
    { width, style }: Surroundings,
): string {
    const of = `${padStart(count(done), digits)}/${padEnd(count(total), digits)}`;
    const figures = `${of}  ${padStart(formatPercent(done, total), 6)}`;
    const head = padEnd(name, 7);
    const room = Math.min(50, width - measureWidth(head) - measureWidth(figures) - 4);
    if (room < 5) return cut(`${name} ${count(done)}/${count(total)} ${formatPercent(done, total)}`, width);
    const filled = total === 0 ? room : Math.floor((done / total) * room);
    return `${head}  ${style.green('━'.repeat(filled))}${style.dim('─'.repeat(room - filled))}  ${figures}`;
}

function formatVerdictParts(view: RunView, style: Style): string[] {
    const success = chooseSuccessWord(view.start?.executor);
    const verdicts = VERDICTS.filter((verdict) => (view.verdicts[verdict] ?? 0) > 0)
        .map((verdict) => `${shortenVerdict(verdict, success)} ${count(view.verdicts[verdict] ?? 0)}`)
        .join('  ');
    const { failed, retried } = view.tasks;
    // The bars include earlier starts; verdicts are known only for this one.
    const parts = [
        verdicts === ''
            ? success === 'done'
                ? 'none done yet'
                : 'no verdicts yet'
            : `this start: ${verdicts}`,
    ];
    if (view.unexpected > 0) parts.push(style.yellow(`${count(view.unexpected)} unexpected`));
    if (failed > 0) parts.push(style.red(`${count(failed)} failed`));
    if (retried > 0) parts.push(`${count(retried)} tried again`);
    return parts;
}

function describeHowToStopNow(stop: StopReason): string {
    if (stop.reason !== 'signal') return 'Ctrl-C stops now';
    return stop.signal === 'SIGINT' ? 'Ctrl-C again stops now' : 'a second signal stops now';
}

function formatPhaseParts(view: RunView, around: Surroundings): string[] {
    const { phase } = view;
    const running = `${count(view.tasks.running)} running`;
    const machine = [formatBytes(around.memory)];
    if (around.load !== null) machine.push(`load ${around.load.toFixed(1)}`);
    switch (phase.kind) {
        case 'paused':
            return [around.style.yellow(`paused: ${escapeLine(phase.message)}`), running];
        case 'stopping': {
            const left = Math.max(0, phase.grace - (around.now - phase.at) / 1000);
            return [
                around.style.yellow(`stopping: ${running}, up to ${formatDuration(left)} more`),
                describeHowToStopNow(phase.stop),
            ];
        }
        case 'starting':
            return ['starting', ...machine];
        case 'finished':
            return ['finished', ...machine];
        case 'running': {
            const pace = computeCurrentRate(view, around.now);
            const seconds = estimateEta(view, around.now);
            const told =
                countRemaining(view) === 0
                    ? ['nothing left']
                    : seconds === null
                      ? []
                      : [formatRate(pace), `ETA ${formatDuration(seconds)}`];
            const { saving } = view.tasks;
            const unsaved = saving === 0 ? [] : [`${count(saving)} being saved`];
            return [...told, running, ...unsaved, ...machine, ...formatLongParts(view, around)];
        }
    }
}

/** Seconds after which a running task is named: before that, nobody wonders why nothing moves. */
const LONG_SECONDS = 60;

function formatLongParts(view: RunView, { now }: Surroundings): string[] {
    const task = findLongestRunning(view);
    const seconds = task === null ? 0 : (now - task.since) / 1000;
    if (task === null || seconds < LONG_SECONDS) return [];
    return [
        `longest ${formatDuration(seconds)}: ${escapeLine(task.sample)} ${escapeLine(task.group)} ${task.index}`,
    ];
}

/** Joins as many parts as fit. */
function joinParts(parts: readonly string[], { width }: Surroundings): string {
    let line = parts[0] ?? '';
    for (const part of parts.slice(1)) {
        const longer = `${line} · ${part}`;
        if (measureWidth(longer) > width) break;
        line = longer;
    }
    return measureWidth(line) <= width ? line : cut(line, width);
}
