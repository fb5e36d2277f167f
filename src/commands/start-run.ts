import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GeneratedDataset, type OpenedRun, openRun, type RunPlan } from '../compose.js';
import type { Resolved, RunConfig } from '../config.js';
import type { EndpointState, RunEnd, RunEvent } from '../model/event.js';
import { exitCodeOfStop, type StopSignal } from '../model/stop.js';
import { openReporter } from '../report/live/open-reporter.js';
import { type Reporter, combineReporters } from '../report/live/reporter.js';
import type { Page } from '../report/page.js';
import { makeSink, writeLines } from '../report/sink.js';
import { chooseStyle } from '../report/style.js';
import { chooseSuccessWord } from '../report/success-word.js';
import { renderSummary } from '../report/summary.js';
import { onInterrupt } from '../run/interrupt.js';
import { divertStdout } from '../util/foreign-code.js';
import { escapeJson } from '../util/printable.js';
import type { ExitCode } from '../util/user-error.js';
import { boundYoungGeneration } from '../util/young-generation.js';
import { planText } from './plan-text.js';

/** The dataset that is used if none is known. */
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

type Notify = (message: string, level: 'info' | 'warning') => void;

/**
 * Runs the tasks of a configuration and displays them, until all are done or a signal stops the run.
 * @throws UserError, WriteError; finished results have been saved by then
 */
export function startRun(
    { config, announcements, env }: StartInput,
    extras: RunExtras = {},
): Promise<ExitCode> {
    // Tokens are looked up by name in the environment when they are used; variables that are really set stay unchanged.
    for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
    return runAndShow({ config, announcements, env }, extras);
}

/** What a command adds to a run. */
export interface RunExtras {
    /** The dataset that the command generates; absent: those of the configuration. */
    readonly generated?: GeneratedDataset;
    /** A results database whose records complete tasks that have no result yet. Absolute. */
    readonly topUpFrom?: string;
    /** Called for every event, after the display. */
    readonly onEvent?: (event: RunEvent) => void;
    /** Called when the plan is ready, before anything runs; also in a dry run. */
    readonly onPlan?: (plan: RunPlan) => void;
    /** Adds fields to what `--dry-run --json` prints. */
    readonly describePlan?: (plan: RunPlan) => object;
    /** Called when everything is saved, before the summary is shown. */
    readonly onEnd?: (end: RunEnd) => void | Promise<void>;
    /** Whether another start follows immediately; if so, `--quiet` leaves the summary to the last one. */
    readonly isFollowed?: (end: RunEnd) => boolean;
    /** An additional section of the summary. */
    readonly section?: (page: Page) => readonly string[];
}

type StartInput = Pick<Resolved, 'config' | 'announcements' | 'env'>;

async function runAndShow({ config, announcements, env }: StartInput, extras: RunExtras): Promise<ExitCode> {
    const { generated, topUpFrom, onEvent, onEnd, section } = extras;
    let opened: OpenedRun | null = null;
    const reporter = await createReporter(config, env, () => opened?.endpoints() ?? []);
    const notify: Notify = (message, level) =>
        reporter.onEvent({ type: 'notice', at: new Date().toISOString(), level, message });
    if (config.executor.kind === 'module') {
        // In async mode the module runs in this process. Make our own sink for stdout before stdout is diverted.
        makeSink(process.stdout);
        divertStdout();
    }
    if (config.mode !== 'thread') boundYoungGeneration();
    const signals = new Signals();
    try {
        for (const line of announcements) notify(line, 'info');
        const run = await openRun(config, {
            examples: EXAMPLES,
            onNotice: notify,
            signal: signals.aborted,
            ...(generated === undefined ? {} : { generated }),
            ...(topUpFrom === undefined ? {} : { topUpFrom }),
        });
        if (!config.dryRun || !config.display.json) extras.onPlan?.(run.plan);
        if (config.dryRun) return await showPlan(run, config, extras);
        opened = run;
        signals.handTo(run);
        run.onEvent((event) => reporter.onEvent(event));
        if (onEvent !== undefined) run.onEvent(onEvent);
        const end = await run.start();
        for (const row of run.plan.badRows) notify(`left out: ${row}`, 'warning');
        reporter.close();
        await onEnd?.(end);
        const isFollowed = extras.isFollowed?.(end) === true;
        if (!config.display.quiet || !isFollowed) showSummary(end, config, env, section);
        return chooseExitCode(end);
    } catch (error) {
        // Stopped during planning or while waiting for another run: nothing has begun.
        const { first } = signals;
        if (first !== null && signals.aborted.reason === error)
            return exitCodeOfStop({ reason: 'signal', signal: first });
        throw error;
    } finally {
        signals.dispose();
        reporter.close();
    }
}

/** Handles signals from start to end: before the run starts they end the wait, afterwards they are passed to the run. */
class Signals {
    readonly #abort = new AbortController();
    readonly #interrupt = onInterrupt((signal) => this.#take(signal), process.stdout.isTTY);
    #run: OpenedRun | null = null;
    #first: StopSignal | null = null;

    get aborted(): AbortSignal {
        return this.#abort.signal;
    }

    get first(): StopSignal | null {
        return this.#first;
    }

    handTo(run: OpenedRun): void {
        this.#run = run;
        if (this.#first !== null) run.stop({ reason: 'signal', signal: this.#first });
    }

    #take(signal: StopSignal): void {
        if (this.#run !== null) {
            this.#first = signal;
            this.#run.stop({ reason: 'signal', signal });
            return;
        }
        // The first signal ends planning in an orderly way; the second does not wait for that.
        if (this.#first !== null) {
            this.dispose();
            process.kill(process.pid, signal);
        }
        this.#first = signal;
        this.#abort.abort();
    }

    dispose(): void {
        this.#interrupt.dispose();
    }
}

async function createReporter(
    config: RunConfig,
    env: NodeJS.ProcessEnv,
    endpoints: () => readonly EndpointState[],
): Promise<Reporter> {
    const { json, quiet, logFile, logLevel } = config.display;
    const { stdout, stderr } = process;
    const shown = await openReporter({ json, quiet, stdout, stderr, env });
    const { LiveFile } = await import('../report/live/live-file.js');
    const shard = config.part.shard;
    const live = new LiveFile({
        path: join(config.checkpoints, shard === null ? 'live.json' : `live.${shard.index}.json`),
        dir: config.dir,
        shard: shard === null ? null : `${shard.index}/${shard.count}`,
        endpoints,
    });
    if (logFile === null) return combineReporters([shown, live]);
    const { LogFile } = await import('../report/live/log-file.js');
    const log = new LogFile({
        path: logFile,
        level: logLevel,
        onProblem: (message) =>
            shown.onEvent({ type: 'notice', at: new Date().toISOString(), level: 'warning', message }),
    });
    return combineReporters([shown, live, log]);
}

async function showPlan(run: OpenedRun, config: RunConfig, extras: RunExtras): Promise<ExitCode> {
    await run.close();
    const sink = makeSink(process.stdout);
    if (config.display.json)
        sink.write(`${escapeJson(JSON.stringify({ ...run.plan, ...extras.describePlan?.(run.plan) }))}\n`);
    else writeLines(sink, planText(run.plan));
    return 0;
}

function showSummary(
    end: RunEnd,
    config: RunConfig,
    env: NodeJS.ProcessEnv,
    section: RunExtras['section'],
): void {
    if (config.display.json) return;
    const sink = makeSink(process.stdout);
    const page = {
        width: sink.columns,
        style: chooseStyle(process.stdout, env),
        success: chooseSuccessWord(config.executor.kind),
    };
    writeLines(sink, renderSummary(end, { ...page, dir: asTyped(config), section: section?.(page) ?? [] }));
}

/** The results directory as people would type it from the current folder. */
function asTyped({ cwd, dir }: RunConfig): string {
    const path = relative(cwd, dir);
    return path === '' || path.startsWith('..') ? dir : path;
}

function chooseExitCode({ outcome, stop }: RunEnd): ExitCode {
    if (stop !== null) return exitCodeOfStop(stop);
    return outcome === 'finished' ? 0 : 1;
}
