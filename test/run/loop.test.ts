import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEnd } from '../../src/model/event.js';
import { runs } from '../rig/long.js';
import { GRACE_S, PATIENCE_S, ScriptedRun } from './loop-rig.js';
import type { Ending, RunScript, SampleScript } from './loop-script.js';

const numRuns = runs(150);

beforeEach(() => {
    vi.useFakeTimers({
        toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
});
afterEach(() => {
    vi.useRealTimers();
});

const sampleScripts: fc.Arbitrary<SampleScript> = fc.record({
    solutions: fc.nat(4),
    incorrect: fc.nat(3),
    finished: fc.constantFrom(0, 0, 1, 2),
    isLimitComputed: fc.boolean(),
});
const scripts: fc.Arbitrary<RunScript> = fc.record({
    samples: fc.array(sampleScripts, { maxLength: 6 }),
    judges: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 4 }),
    prefetch: fc.constantFrom(0, 3),
    retries: fc.nat(2),
    tleRetries: fc.nat(2),
    isPaid: fc.boolean(),
});

/** One event in a run. `which` picks from what is present. */
type Act =
    | { readonly do: 'complete'; readonly which: number; readonly ending: Ending }
    | { readonly do: 'save'; readonly which: number }
    | { readonly do: 'lose'; readonly which: number }
    | { readonly do: 'load' | 'fill' | 'free' }
    | { readonly do: 'stop' }
    | { readonly do: 'resize'; readonly to: number }
    | { readonly do: 'pass'; readonly seconds: number };

const endings = fc.constantFrom<Ending[]>('accepted', 'quick', 'wrong', 'suspect', 'broken', 'refused');
const harmless: readonly fc.WeightedArbitrary<Act>[] = [
    { weight: 8, arbitrary: fc.record({ do: fc.constant('complete'), which: fc.nat(), ending: endings }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('save'), which: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('load') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fill', 'free') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('resize'), to: fc.integer({ min: 1, max: 6 }) }) },
    {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('pass'), seconds: fc.constantFrom(1, 40, PATIENCE_S + 2) }),
    },
];
const stop: fc.WeightedArbitrary<Act> = { weight: 1, arbitrary: fc.record({ do: fc.constant('stop') }) };
const lose: fc.WeightedArbitrary<Act> = {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose'), which: fc.nat() }),
};
const actsOf = (...more: fc.WeightedArbitrary<Act>[]): fc.Arbitrary<Act[]> =>
    fc.array(fc.oneof(...harmless, ...more), { maxLength: 60 });

function pick<T>(list: readonly T[], which: number): T | undefined {
    return list[which % list.length];
}

function perform(run: ScriptedRun, act: Act): void {
    switch (act.do) {
        case 'complete': {
            const flight = pick(run.flights, act.which);
            if (flight !== undefined) run.complete(flight, act.ending);
            break;
        }
        case 'save':
        case 'lose': {
            const save = pick(run.store.saves, act.which);
            if (save !== undefined) run.save(save, act.do === 'lose' ? new Error('disk full') : null);
            break;
        }
        case 'load':
            run.load(null);
            break;
        case 'fill':
            run.store.fill();
            break;
        case 'free':
            run.store.free();
            break;
        case 'stop':
            run.stop('SIGTERM');
            break;
        case 'resize':
            run.resize(act.to);
            break;
        case 'pass':
            run.pass(act.seconds);
            break;
    }
}

/** Runs a script through these events, and then to its end. */
async function play(script: RunScript, acts: readonly Act[], answers = true): Promise<ScriptedRun> {
    // Timers of a failed run, before fast-check tries a simpler one.
    vi.clearAllTimers();
    const run = new ScriptedRun(script);
    await run.settle();
    for (const act of acts) {
        perform(run, act);
        await run.settle();
    }
    await run.drain(answers);
    // Errors found by the rig itself appear as the loop's failure.
    if (run.outcome !== null && 'error' in run.outcome && !run.failures.includes(run.outcome.error)) {
        throw run.outcome.error;
    }
    run.expectNothingLeft();
    run.expectVerdictsKept();
    return run;
}

function endOf(run: ScriptedRun): RunEnd {
    if (run.outcome === null || 'error' in run.outcome) throw new Error('the run failed');
    return run.outcome.end;
}

function expectFiguresRight(run: ScriptedRun): void {
    const end = endOf(run);
    const completed = Object.values(end.totals.groups).reduce((sum, group) => sum + group.completed, 0);
    expect(completed).toBe(run.store.disk.size);
    expect(end.committed).toBe([...run.due].filter((key) => run.store.disk.has(key)).length);
    expect(end.failed).toBe(run.store.givenUp.size);
    expect(end.totals.samples).toBe(run.sampleCount);
}

describe('the run loop', () => {
    it('ends every task that is due, in whatever order things happen', async () => {
        await fc.assert(
            fc.asyncProperty(scripts, actsOf(), async (script, acts) => {
                const run = await play(script, acts);
                expectFiguresRight(run);
                const { outcome, signal } = endOf(run);
                expect([outcome, signal]).toEqual([
                    run.store.givenUp.size > 0 ? 'finished with failures' : 'finished',
                    null,
                ]);
                for (const key of run.due)
                    expect(run.store.disk.has(key) !== run.store.givenUp.has(key), key).toBe(true);
            }),
            { numRuns },
        );
    });

    it('ends when it is asked to stop, with what was finished on disk', async () => {
        await fc.assert(
            fc.asyncProperty(scripts, actsOf(stop), fc.boolean(), async (script, acts, answers) => {
                const run = await play(script, [...acts, { do: 'stop' }], answers);
                expectFiguresRight(run);
                const { outcome, signal } = endOf(run);
                // The last stop may have come when the run was already over.
                if (run.isStopped) expect([outcome, signal]).toEqual(['stopped', 'SIGTERM']);
                else expect(signal).toBeNull();
            }),
            { numRuns },
        );
    });

    it('fails with the reason of a result that could not be written, and loses no other', async () => {
        await fc.assert(
            fc.asyncProperty(scripts, actsOf(lose), async (script, acts) => {
                const run = await play(script, acts);
                if (run.failures.length === 0) expectFiguresRight(run);
                else expect(run.outcome).toEqual({ error: run.failures[0] });
            }),
            { numRuns },
        );
    });

    const oneSample = (solutions: number, more: Partial<RunScript> = {}): RunScript => ({
        samples: [{ solutions, incorrect: 0, finished: 0, isLimitComputed: false }],
        judges: false,
        concurrency: 2,
        prefetch: 0,
        retries: 1,
        tleRetries: 1,
        isPaid: false,
        ...more,
    });
    const started = async (script: RunScript): Promise<ScriptedRun> => {
        const run = new ScriptedRun(script);
        await run.settle();
        run.load(null);
        await run.settle();
        return run;
    };

    it('gives running tasks the grace, and ends them at once when asked a second time', async () => {
        for (const isAskedTwice of [false, true]) {
            const run = await started(oneSample(2));
            run.stop('SIGINT');
            run.pass(GRACE_S - 1);
            expect(run.flights.map(({ isAborted }) => isAborted)).toEqual([false, false]);
            if (isAskedTwice) run.stop('SIGTERM');
            else run.pass(1);
            expect(run.flights.map(({ isAborted }) => isAborted)).toEqual([true, true]);
            await run.drain(false);
            expect(endOf(run)).toMatchObject({
                outcome: 'stopped',
                stop: { reason: 'signal', signal: 'SIGINT' },
                signal: 'SIGINT',
                committed: 0,
                aborted: 2,
            });
        }
    });

    it('starts nothing after a sleep before it has seen that the directory is still held', async () => {
        const taken = new Error('taken over by another run');
        for (const isTaken of [false, true]) {
            const run = await started(oneSample(3, { concurrency: 1 }));
            expect(run.flights).toHaveLength(1);
            run.pass(60);
            if (isTaken) run.holderError = taken;
            const [first] = run.flights;
            if (first !== undefined) run.complete(first, 'accepted');
            // Before the answer has arrived.
            expect(run.flights).toEqual([]);
            await run.settle();
            expect(run.flights).toHaveLength(isTaken ? 0 : 1);
            await run.drain(true);
            expect(run.outcome).toEqual(isTaken ? { error: taken } : { end: expect.anything() as RunEnd });
        }
    });

    it('keeps a verdict that comes while its task is being ended', async () => {
        const run = await started(oneSample(2));
        run.pass(PATIENCE_S + 1);
        expect(run.flights.map(({ isAborted }) => isAborted)).toEqual([true, true]);
        const [late, hung] = [...run.flights];
        if (late === undefined || hung === undefined) throw new Error('two tasks run');
        run.complete(late, 'accepted');
        run.complete(hung, 'aborted');
        await run.settle();
        await run.drain(true);
        expect(endOf(run)).toMatchObject({ committed: 2, failed: 0 });
        const retried = run.events.filter((event) => event.type === 'task-retried');
        expect(retried).toMatchObject([{ because: { failure: { reason: 'no-answer', after: PATIENCE_S } } }]);
    });

    it('fails when a sample is no longer what it was, after saving what runs', async () => {
        const two = oneSample(1).samples;
        const run = await started(oneSample(1, { samples: [...two, ...two] }));
        const error = new Error('problems.jsonl changed: start again');
        run.load(error);
        await run.settle();
        const [flight] = run.flights;
        if (flight === undefined) throw new Error('a task runs');
        expect(flight.isAborted).toBe(true);
        run.complete(flight, 'accepted');
        await run.drain(true);
        expect(run.outcome).toEqual({ error });
        expect(run.store.disk.size).toBe(1);
        run.expectNothingLeft();
    });

    it('removes staged tests also where the sample cannot be closed', async () => {
        const run = await started(oneSample(1, { judges: true }));
        const error = new Error('disk full');
        run.store.closeError = error;
        await run.drain(true);
        expect(run.outcome).toEqual({ error });
        run.expectNothingLeft();
    });
});
