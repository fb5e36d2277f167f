import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { killGroup } from '../rig/cli.js';
import { type CrashDataset, type CrashSample, type CrashTask, keysOf } from './dataset.js';
import { comparable, finishedKeys } from './results.js';
import { Scene } from './scene.js';
import { LONG, rounds, SEED } from '../rig/long.js';

/*
 * Any sequence of starts, kills, dataset edits, shards and requests to run again must end with the files of one uninterrupted run
 * of the last dataset. The model is the set of tasks that have a finished entry.
 */

const GROUPS = ['solution', 'incorrect_solution'] as const;

/** What the model knows in addition to the files: the dataset, and the number for the key of the next task. */
interface Model {
    dataset: CrashDataset;
    nextKey: number;
}

type Step = fc.AsyncCommand<Model, Scene>;

/** Edits one sample, chosen by a number. */
function editSample(
    model: Model,
    scene: Scene,
    which: number,
    edit: (sample: CrashSample) => CrashSample,
): void {
    const at = which % model.dataset.length;
    model.dataset = model.dataset.map((sample, index) => (index === at ? edit(sample) : sample));
    scene.dataset = model.dataset;
}

function editTasks(
    sample: CrashSample,
    edit: (tasks: readonly CrashTask[]) => readonly CrashTask[],
): CrashSample {
    return { ...sample, groups: { ...sample.groups, solution: edit(sample.groups['solution'] ?? []) } };
}

class Finish implements Step {
    check = (): boolean => true;
    async run(_model: Model, scene: Scene): Promise<void> {
        await scene.finish();
        await scene.expectSameAsUninterrupted('changes');
    }
    toString = (): string => 'finish';
}

class Kill implements Step {
    constructor(readonly after: number) {}
    check = (): boolean => true;
    async run(_model: Model, scene: Scene): Promise<void> {
        await scene.run({
            what: `killed after ${this.after} ms`,
            meanwhile: async (cli) => {
                await sleep(this.after);
                killGroup(cli.child);
            },
        });
    }
    toString = (): string => `kill after ${this.after} ms`;
}

class Shard implements Step {
    constructor(readonly index: number) {}
    check = (): boolean => true;
    async run(_model: Model, scene: Scene): Promise<void> {
        const record = await scene.run({
            args: ['--shard', `${this.index}/2`],
            what: `shard ${this.index}/2`,
        });
        // Either shard may have no sample.
        expect(record.code, record.stderr).toBe(0);
        expect(new Set(record.executed).size).toBe(record.executed.length);
    }
    toString = (): string => `shard ${this.index}/2`;
}

/** Everything runs again, and no finished entry is removed before its replacement is there. */
class RerunAll implements Step {
    constructor(readonly killAfter: number | null) {}
    check = (): boolean => true;
    async run(_model: Model, scene: Scene): Promise<void> {
        const before = finishedKeys(scene.results);
        const earlier = requestOf(scene);
        const record = await scene.start({
            args: ['--rerun', 'all'],
            what: '--rerun all',
            ...(this.killAfter === null
                ? {}
                : {
                      meanwhile: async (cli) => {
                          await sleep(this.killAfter ?? 0);
                          killGroup(cli.child);
                      },
                  }),
        });
        const now = finishedKeys(scene.results);
        const wanted = new Set(keysOf(scene.dataset));
        for (const key of before) if (wanted.has(key)) expect(now, 'finished before --rerun').toContain(key);
        if (record.code === 0) expect(record.executed).toEqual([...wanted].sort());
        // After a kill the next start continues without repeating finished work.
        const rest = await scene.start({ what: 'the rest of it' });
        expect(rest.code, rest.stderr).toBe(0);
        const both = [...record.executed, ...rest.executed];
        // Whether the start got far enough to record the request; otherwise an earlier one is still recorded.
        const requested = requestOf(scene) !== earlier;
        for (const key of wanted) {
            if (requested || !before.has(key)) expect(both, 'run again').toContain(key);
        }
        for (const key of record.acknowledged) expect(rest.executed, 'run twice').not.toContain(key);
    }
    toString = (): string =>
        `rerun all${this.killAfter === null ? '' : `, killed after ${this.killAfter} ms`}`;
}

/** The last request to run everything again, as recorded in run.json; null if there was none. */
function requestOf(scene: Scene): string | null {
    try {
        const file = JSON.parse(readFileSync(join(scene.checkpoints, 'run.json'), 'utf8')) as {
            readonly reruns: readonly { readonly request: string; readonly at: string }[];
        };
        return file.reruns.findLast(({ request }) => request === 'all')?.at ?? null;
    } catch {
        return null;
    }
}

class Reorder implements Step {
    constructor(readonly which: number) {}
    check = (): boolean => true;
    async run(model: Model, scene: Scene): Promise<void> {
        scene.tell(`reorder sample ${this.which}, and the samples`);
        model.dataset = model.dataset.toReversed();
        editSample(model, scene, this.which, (sample) => editTasks(sample, (tasks) => tasks.toReversed()));
    }
    toString = (): string => `reorder ${this.which}`;
}

class AddTask implements Step {
    constructor(readonly which: number) {}
    check = (): boolean => true;
    async run(model: Model, scene: Scene): Promise<void> {
        const key = `new-${model.nextKey++}`;
        scene.tell(`add ${key} to sample ${this.which}`);
        editSample(model, scene, this.which, (sample) =>
            editTasks(sample, (tasks) => [{ key, ms: 10 }, ...tasks]),
        );
    }
    toString = (): string => `add a task to ${this.which}`;
}

class RemoveTask implements Step {
    constructor(readonly which: number) {}
    check = (): boolean => true;
    async run(model: Model, scene: Scene): Promise<void> {
        scene.tell(`remove the first task of sample ${this.which}`);
        editSample(model, scene, this.which, (sample) => editTasks(sample, (tasks) => tasks.slice(1)));
    }
    toString = (): string => `remove a task of ${this.which}`;
}

class EditTask implements Step {
    constructor(readonly which: number) {}
    check = (): boolean => true;
    async run(model: Model, scene: Scene): Promise<void> {
        const key = `edited-${model.nextKey++}`;
        scene.tell(`replace the first task of sample ${this.which} by ${key}`);
        editSample(model, scene, this.which, (sample) =>
            editTasks(sample, (tasks) => (tasks.length === 0 ? [] : [{ key, ms: 10 }, ...tasks.slice(1)])),
        );
    }
    toString = (): string => `edit a task of ${this.which}`;
}

class AddSample implements Step {
    check = (): boolean => true;
    async run(model: Model, scene: Scene): Promise<void> {
        const number = model.nextKey++;
        scene.tell(`add sample new/${number}`);
        const groups = { solution: [{ key: `s-${number}` }], incorrect_solution: [{ key: `i-${number}` }] };
        model.dataset = [{ id: `new/${number}`, groups }, ...model.dataset];
        scene.dataset = model.dataset;
    }
    toString = (): string => 'add a sample';
}

const startingDataset: fc.Arbitrary<CrashDataset> = fc
    .array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 2, maxLength: 4 })
    .map((shapes) =>
        shapes.map((counts, at) => ({
            id: `sample/${at}`,
            groups: Object.fromEntries(
                GROUPS.map((name, group) => [
                    name,
                    Array.from({ length: counts[group] ?? 0 }, (_, index) => ({
                        key: `${at}-${group}-${index}`,
                        ms: 15 * index,
                    })),
                ]),
            ),
        })),
    );

const which = fc.nat(3);
const moment = fc.integer({ min: 50, max: 900 });

const steps = fc.commands(
    [
        fc.constant(new Finish()),
        moment.map((after) => new Kill(after)),
        moment.map((after) => new Kill(after)),
        fc.constantFrom(1, 2).map((index) => new Shard(index)),
        fc.option(moment).map((after) => new RerunAll(after)),
        which.map((sample) => new Reorder(sample)),
        which.map((sample) => new AddTask(sample)),
        which.map((sample) => new RemoveTask(sample)),
        which.map((sample) => new EditTask(sample)),
        fc.constant(new AddSample()),
    ],
    { maxCommands: LONG ? 14 : 7, size: 'max' },
);

it('any order of starts, kills and edits ends with the files of one uninterrupted run', async () => {
    await fc.assert(
        fc.asyncProperty(startingDataset, steps, async (dataset, commands) => {
            const scene = new Scene(dataset);
            await fc.asyncModelRun(() => ({ model: { dataset, nextKey: 0 }, real: scene }), commands);
            await scene.finish({ what: 'the last one' });
            await scene.expectSameAsUninterrupted('changes');
            expect(Object.keys(comparable(scene.results)).length).toBeGreaterThanOrEqual(
                scene.dataset.length,
            );
            scene.forget();
        }),
        { numRuns: rounds(2), seed: SEED, endOnFailure: !LONG },
    );
});
