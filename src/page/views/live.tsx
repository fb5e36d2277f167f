import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import type { LiveState } from '../../model/live-state.js';
import { estimateEtaRange } from '../data/eta-range.js';
import { showBytes, showCount, showNumber, showSeconds, showShare } from '../language/figures.js';
import { say } from '../language/text.js';
import { Chart } from '../parts/chart.js';
import { formatLabel } from '../parts/shown-text.js';
import { SmallTable } from '../parts/small-table.js';
import { buildRoute, nameTask } from '../route.js';

/** Milliseconds after which a silent run is assumed to have ended or to hang. */
const STALE_MS = 10_000;

/** Milliseconds between two drawings of the progress plot. */
const REDRAWN_MS = 5000;

/** The progress of runs, one below the other if shards share a directory. */
export function LiveView({
    states,
    isLost,
}: {
    readonly states: readonly LiveState[];
    readonly isLost: boolean;
}): JSX.Element {
    return (
        <>
            {isLost && (
                <p class="note" role="alert">
                    {say('connectionLost')}
                </p>
            )}
            {states.length === 0 && <p class="empty">{say('noLive')}</p>}
            {states.map((state) => (
                <LiveRun key={state.shard ?? ''} state={state} />
            ))}
        </>
    );
}

function LiveRun({ state }: { readonly state: LiveState }): JSX.Element {
    const { tasks, samples } = state;
    const age = (Date.now() - state.at) / 1000;
    const isStale = state.phase !== 'finished' && age * 1000 > STALE_MS;
    const eta = estimateEtaRange(state);
    const rate =
        state.rate >= 1
            ? say('perSecond', { rate: showNumber(state.rate, 1) })
            : say('perMinute', { rate: showNumber(state.rate * 60, 1) });
    const figures: readonly (readonly [string, string])[] = [
        [say('tasks'), `${showCount(tasks.done)} / ${showCount(tasks.total)}`],
        [say('samples'), `${showCount(samples.complete)} / ${showCount(samples.total)}`],
        [say('runningNow'), `${showCount(tasks.running)} / ${showCount(state.concurrency)}`],
        [say('unexpected'), showCount(state.unexpected)],
        [say('failed'), showCount(tasks.failed)],
        [say('retried'), showCount(tasks.retried)],
        [say('diskFree'), state.diskFree === null ? '–' : showBytes(state.diskFree)],
    ];
    // Redrawing every second would cost more than it shows.
    const drawing = `${Math.floor(state.at / REDRAWN_MS)} ${state.phase}`;
    const draw = useCallback((width: number) => progressPlot(state, width), [drawing]);
    return (
        <section>
            <h2>
                {say(state.phase)}
                {state.shard === null ? '' : ` ${formatLabel(state.shard)}`}
                {state.message === undefined ? '' : `: ${formatLabel(state.message)}`}
            </h2>
            {isStale && <p class="note">{say('stale', { ago: showSeconds(age) })}</p>}
            <div class="progress-line">
                <progress aria-label={say('progress')} value={tasks.done} max={Math.max(1, tasks.total)} />
                <span>{tasks.total === 0 ? '' : showShare(tasks.done / tasks.total)}</span>
                <span class="faint">
                    {rate}
                    {' · '}
                    {eta === null
                        ? say('etaUnknown')
                        : say('eta', {
                              low: showSeconds(eta.low) || '0 s',
                              high: showSeconds(eta.high) || '0 s',
                          })}
                </span>
            </div>
            <dl class="totals">
                {figures.map(([label, value]) => (
                    <div key={label}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
            </dl>
            <Chart name="progress" title={say('finishedOverTime')} draw={draw} />
            <LiveTables state={state} />
        </section>
    );
}

function LiveTables({ state }: { readonly state: LiveState }): JSX.Element {
    const now = state.at;
    const isCalibrated = state.endpoints.some(({ calibration = [] }) => calibration.length > 0);
    return (
        <div class="charts">
            <SmallTable
                title={say('runningNow')}
                name="running"
                heads={[say('sample'), say('group'), say('index'), say('runningFor')]}
                rows={state.running.map(({ sample, group, index, since }) => [
                    {
                        text: sample,
                        shown: (
                            <a href={buildRoute('live', { task: nameTask(sample, group, index) })}>
                                {formatLabel(sample)}
                            </a>
                        ),
                    },
                    formatLabel(group),
                    index,
                    showSeconds((now - since) / 1000) || '0 s',
                ])}
            />
            <SmallTable
                title={say('failuresByReason')}
                name="failures"
                heads={[say('reason'), say('count')]}
                rows={Object.entries(state.failures).map(([reason, count]) => [
                    formatLabel(reason),
                    showCount(count),
                ])}
            />
            <SmallTable
                title={say('endpoint')}
                name="endpoints"
                class="wide"
                heads={[
                    say('endpoint'),
                    say('state'),
                    say('inFlight'),
                    say('done'),
                    say('failed'),
                    say('meanTime'),
                    say('coolDowns'),
                    ...(isCalibrated ? [say('helloWorlds')] : []),
                ]}
                rows={state.endpoints.map((one) => [
                    formatLabel(one.endpoint),
                    one.state,
                    `${one.inFlight} / ${one.concurrency}`,
                    showCount(one.done),
                    showCount(one.failures),
                    showSeconds(one.meanTime ?? 0),
                    showCount(one.coolDowns),
                    ...(isCalibrated ? [describeCalibration(one)] : []),
                ])}
            />
        </div>
    );
}

const describeCalibration = ({ calibration = [] }: LiveState['endpoints'][number]): string =>
    calibration
        .map(({ width, perSecond }) =>
            say('rateAt', { rate: showNumber(perSecond, 1), width: showCount(width) }),
        )
        .join(', ');

function progressPlot({ history, startedAt }: LiveState, width: number): Element {
    const points = history.map(([at, ended]) => ({ seconds: (at - startedAt) / 1000, ended }));
    return Plot.plot({
        width,
        height: 180,
        marginLeft: 55,
        x: {
            label: null,
            tickFormat: (seconds: number) => showSeconds(seconds) || '0',
            ticks: Math.floor(width / 120),
        },
        y: { label: say('tasksAxis'), grid: true, zero: true },
        marks: [Plot.lineY(points, { x: 'seconds', y: 'ended', stroke: 'var(--accent)' })],
    });
}
