import type { RescoringSummary } from '../compose/score-answers.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { asTyped, print, printRaw, tell, warn } from '../compose/output.js';
import { onInterrupt } from '../run/interrupt.js';
import { exitCodeOfStop, type StopSignal } from '../model/stop.js';
import { formatCount } from '../report/format.js';
import { escapeLine } from '../util/printable.js';
import type { ExitCode } from '../util/user-error.js';
import { defineTaskCommand } from './command.js';

export const command = defineTaskCommand({
    usage: 'score [--dir <dir>] --scorer <how>',
    about:
        'Scores the stored answers of a run again and asks no model for them again; each new score is saved as a run saves ' +
        'results, so after a kill the same command scores only what is left',
    options: RUN_OPTIONS,
    common: [
        'dir',
        'scorer',
        'expected',
        'judge-prompt',
        'judge-max-tokens',
        'code-timeout',
        'concurrency',
        'dry-run',
        'json',
    ],
    examples: [
        { line: 'resume-run score --dir results --scorer numeric:0.01', about: 'With a wider tolerance' },
        {
            line: 'resume-run score --dir results --scorer module:./my-scorer.mjs',
            about: 'By a function of your own',
        },
        {
            line: 'resume-run score --dir topics-demo --scorer model:demo-judge',
            about: 'See a model judge the answers of resume-run topics --demo, with no key',
        },
        {
            line: 'resume-run score --dir results --scorer model:gpt-4o-mini --max-cost 2',
            about: 'By another model, whose cost is kept apart',
        },
    ],
    run: async ({ resolve }) => {
        const { config, env } = await resolve([]);
        const { scoreAnswers } = await import('../compose/score-answers.js');
        for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
        const stop = new AbortController();
        let signal: StopSignal | null = null;
        const interrupt = onInterrupt((one) => {
            signal ??= one;
            stop.abort();
        }, process.stdout.isTTY);
        const progress = new Progress(config.display.json || config.display.quiet);
        try {
            const summary = await scoreAnswers(config, {
                onNotice: warn,
                onScored: (count) => progress.show(count),
                signal: stop.signal,
            });
            if (config.display.json) printRaw(JSON.stringify(summary));
            else for (const line of describeScores(summary, config.dryRun)) print(escapeLine(line));
            return chooseExitCode(summary, signal);
        } finally {
            interrupt.dispose();
        }
    },
});

function chooseExitCode(
    { unscored, budget_spent: spent }: RescoringSummary,
    signal: StopSignal | null,
): ExitCode {
    if (signal !== null) return exitCodeOfStop({ reason: 'signal', signal });
    if (spent !== null) return exitCodeOfStop({ reason: 'budget', message: spent });
    return unscored > 0 ? 1 : 0;
}

/** Milliseconds between two progress lines. */
const PROGRESS_MS = 10_000;

/** Prints progress at intervals, as a count: the number of answers is only known once all have been read. */
class Progress {
    readonly #isSilent: boolean;
    #at = Date.now();

    constructor(isSilent: boolean) {
        this.#isSilent = isSilent;
    }

    show(count: number): void {
        if (this.#isSilent || Date.now() - this.#at < PROGRESS_MS) return;
        this.#at = Date.now();
        tell(`${count.toLocaleString('en')} answers scored`);
    }
}

function describeScores(summary: RescoringSummary, isDryRun: boolean): readonly string[] {
    const { scored, unchanged, unscored, accepted, refused, finished, tasks } = summary;
    const dir = asTyped(summary.dir);
    const n = (count: number): string => count.toLocaleString('en');
    if (isDryRun) {
        return [
            `${formatCount(scored, 'answer')} in ${dir} would be scored by ${summary.scorer}; ${n(unchanged)} have this score`,
        ];
    }
    const lines = [
        `${formatCount(scored, 'answer')} in ${dir} scored by ${summary.scorer}; ${n(unchanged)} had this score already` +
            (unscored === 0 ? '' : `, ${n(unscored)} could not be scored and keep what they had`),
        `accepted     ${formatShare(accepted, finished)} of the tasks with a verdict (${n(refused)} of them refused), ` +
            `${formatShare(accepted, tasks)} of all tasks`,
        `changed      ${n(summary.accepted_now)} accepted now, ${n(summary.no_longer_accepted)} no longer`,
    ];
    if (summary.judge_cost !== null) lines.push(`judge        $${summary.judge_cost.toPrecision(3)}`);
    if (summary.stopped) {
        const why = summary.budget_spent === null ? '' : ` because ${summary.budget_spent}`;
        lines.push(`stopped${why}: the same command scores the rest`);
    }
    if (summary.scored > 0) lines.push('resume-run collect brings the new scores into a results database');
    return lines;
}

const formatShare = (part: number, whole: number): string =>
    `${part.toLocaleString('en')}/${whole.toLocaleString('en')} (${whole === 0 ? '-' : ((100 * part) / whole).toFixed(1)} %)`;
