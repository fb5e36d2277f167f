import { expect, it, vi } from 'vitest';
import { Budget } from '../../../src/executor/chat/budget.js';
import { BudgetDesk, reserveByMessage } from '../../../src/executor/chat/budget-desk.js';
import type { WorkerDesk } from '../../../src/executor/servers/places.js';
import type { JsonObject } from '../../../src/model/json.js';

const PLACES: WorkerDesk = {
    serve: () => Promise.resolve(null),
    hear: () => undefined,
    holds: () => false,
    forget: () => undefined,
};

/** A desk for a budget of `maxTokens`, where each completion is planned with 10. */
function openDesk(maxTokens: number) {
    const said: string[] = [];
    const budget = new Budget({ maxCost: null, maxTokens }, (message) => void said.push(message));
    const longest: number[] = [];
    const desk = new BudgetDesk(PLACES, {
        reserve: (planned, signal) =>
            budget.reserve(
                'engine' in planned
                    ? { model: null, tokens: 0, cost: null }
                    : {
                          model: planned.model,
                          tokens: planned.prompt + (planned.completion ?? 0),
                          cost: null,
                      },
                signal,
            ),
        charge: (usage, cost) => budget.charge(usage, cost),
        noteAnswer: (completion) => void longest.push(completion),
    });
    const ended: number[] = [];
    const serve = (job: number, request: JsonObject): Promise<JsonObject | null> =>
        desk.serve(job, request, () => void ended.push(job));
    /** A task in a worker makes requests by messages. */
    const reserve = (job: number, signal = new AbortController().signal) =>
        reserveByMessage(
            { model: 'm', prompt: 6, completion: 4 },
            { ask: (request) => serve(job, request), signal },
        );
    return { desk, serve, reserve, said, ended, longest };
}

const used = (tokens: number) => ({ prompt: tokens - 1, cached: null, completion: 1, reasoning: null });

it('lets completions of workers through while they fit, and ends the tasks of those that never will', async () => {
    const { desk, reserve, said, ended, longest } = openDesk(25);
    const [first, second] = [await reserve(1), await reserve(2)];
    let isGranted = false;
    const third = reserve(3).then((granted) => {
        isGranted = true;
        return granted;
    });
    await Promise.resolve();
    expect([isGranted, desk.holds(1), desk.holds(3)]).toEqual([false, true, false]);
    // It used less than was reserved, so the third fits.
    first?.settle(used(3), null);
    expect(await third).not.toBeNull();
    expect(longest).toEqual([1]);
    second?.cancel();
    (await third)?.settle(used(10), null);
    await vi.waitUntil(() => !desk.holds(3));
    const fourth = await reserve(4);
    expect(fourth).not.toBeNull();
    const fifth = reserve(5);
    fourth?.settle(used(10), null);
    expect(await fifth).toBeNull();
    expect(ended).toEqual([5]);
    expect(said).toEqual([expect.stringMatching(/25 tokens \(--max-tokens-total\) is spent: 23 used/)]);
});

it('counts what a lost worker had set aside as spent, until that tells what its request came to', async () => {
    const { desk, serve, reserve, said } = openDesk(25);
    const lost = { ask: (request: JsonObject) => serve(1, request), signal: new AbortController().signal };
    const names: unknown[] = [];
    const first = await reserveByMessage(
        { model: 'm', prompt: 6, completion: 4 },
        {
            ...lost,
            ask: async (request) => {
                const reply = await serve(1, request);
                names.push(reply?.['reservation']);
                return reply;
            },
        },
    );
    expect(first).not.toBeNull();
    desk.forget(1);
    expect(desk.holds(1)).toBe(false);
    // 10 are used and 15 are left; another worker has the task.
    const second = await reserve(1);
    const third = reserve(2);
    desk.hear(1, {
        do: 'unreserve',
        reservation: names[0] as string,
        end: 'settle',
        prompt: 2,
        completion: 1,
        cost: null,
    });
    expect(await third).not.toBeNull();
    // The same worker cannot settle it twice.
    desk.hear(1, { do: 'unreserve', reservation: names[0] as string, end: 'cancel' });
    second?.settle(used(10), null);
    (await third)?.settle(used(10), null);
    expect(await reserve(3)).toBeNull();
    // These include 3 of the lost worker; its repeated message was ignored.
    expect(said).toEqual([expect.stringContaining('23 used')]);
});

it('counts requests of workers that an earlier start told of no budget, or that it had let through', async () => {
    const { desk, serve, reserve, said } = openDesk(25);
    await serve(1, { do: 'spent', spent: { isAnswered: true, prompt: 5, completion: 4, cost: null } });
    const first = await reserve(2);
    // What it used is reported with its reservation.
    await serve(2, { do: 'spent', spent: { isAnswered: true, prompt: 9, completion: 1, cost: null } });
    desk.hear(3, {
        do: 'unreserve',
        reservation: 'of-the-start-before',
        end: 'settle',
        prompt: 4,
        completion: 1,
        cost: null,
    });
    first?.settle(used(10), null);
    expect(await reserve(4)).toBeNull();
    expect(said).toEqual([expect.stringContaining('24 used')]);
});

it('gives back what is set aside for a task that was given up, and aborts no task that only lost its worker', async () => {
    const { desk, reserve, ended } = openDesk(15);
    const first = await reserve(1);
    const giving = new AbortController();
    const second = reserve(2, giving.signal);
    const third = reserve(3);
    giving.abort();
    expect(await second).toBeNull();
    desk.forget(3);
    expect(await third).toBeNull();
    expect(ended).toEqual([]);
    first?.settle(used(5), null);
    // The reservation that came too late for the second one was given back.
    expect(await reserve(4)).not.toBeNull();
});

it('believes no worker that makes up amounts', async () => {
    const { serve, reserve, said } = openDesk(15);
    for (const request of [
        { do: 'reserve', model: 'm', prompt: -5, completion: 1 },
        { do: 'reserve', model: 'm', prompt: 5, completion: 'none' },
        { do: 'reserve', prompt: 5, completion: 1 },
    ])
        await expect(serve(1, request)).rejects.toThrow('the budget request is invalid');
    for (const end of [
        { prompt: -100, completion: 0, cost: 0 },
        { prompt: null, completion: '9', cost: null },
    ])
        await serve(1, { do: 'unreserve', reservation: 'made-up', end: 'settle', ...end });
    const first = await reserve(2);
    first?.settle(used(10), null);
    expect(await reserve(3)).toBeNull();
    expect(said).toEqual([expect.stringContaining('10 used')]);
});
