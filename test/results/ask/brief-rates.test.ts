import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choosePlainFields } from '../../../src/results/ask/brief-rates.js';
import { AskEngine } from '../../../src/results/ask/engine.js';
import type { QuestionOptions } from '../../../src/results/ask/question.js';
import { rates } from '../../../src/results/ask/questions/rates.js';
import { RECORD_FIELDS } from '../../../src/results/record/fields.js';
import { isBriefField, makeBriefRecord } from '../../../src/results/record/record.js';
import { tempDir } from '../../rig/cli.js';
import { runs } from '../../rig/long.js';

const text = fc.constantFrom('a', 'B', '', 'é', '\uffee', '😀', 'a b');

const brief = fc
    .record({
        run: text,
        sample: text,
        group: fc.constantFrom('solution', 'incorrect_solution'),
        fingerprint: text,
        occurrence: fc.constantFrom(0, 1, 10, 9),
        revision: fc.constantFrom(1, 2),
        index: fc.option(fc.constantFrom(0, -3, 20, 100)),
        verdict: fc.option(fc.constantFrom('Accepted', 'WrongAnswer')),
        accepted: fc.option(fc.boolean()),
        success_level: fc.option(fc.constantFrom('full', 'partial', 'failure')),
        expected: fc.option(fc.constantFrom<string[][]>([], ['Accepted'], ['WrongAnswer', 'Accepted'])),
        score: fc.option(fc.constantFrom(0, 0.5, -1.25, 1e21, 1e-7)),
        language: fc.option(text),
    })
    .map(makeBriefRecord);

const BLANK = {
    run: 'r',
    fingerprint: 'f',
    occurrence: 0,
    revision: 1,
    index: null,
    verdict: null,
    accepted: null,
    expected: null,
    score: null,
    language: null,
};

const PLAIN = RECORD_FIELDS.filter(({ name, type }) => isBriefField(name) && type !== 'texts').map(
    ({ name }) => name,
);

const options = fc.record({
    by: fc.option(fc.array(fc.constantFrom<string>(...PLAIN), { maxLength: 3 })),
    limit: fc.option(fc.integer({ min: 1, max: 5 })),
});

it('gives the same rates from records as the engine does, in the same order', async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(brief, { maxLength: 40 }), options, async (list, { by, limit }) => {
            const dir = tempDir();
            mkdirSync(join(dir, 'parts'));
            const path = join(dir, 'parts', 'a.jsonl');
            writeFileSync(path, list.map((one) => `${JSON.stringify(one)}\n`).join(''));
            const files = { json: [path], parquet: [], cells: [], folders: [join(dir, 'parts')] };
            const asked: QuestionOptions = { by, limit, where: null, k: [1] };
            const engine = await AskEngine.open(files, dir);
            const expected = await rates.answer(engine, asked).finally(() => engine.close());
            const inPieces = async function* (all: typeof list) {
                yield all.slice(0, 7);
                yield all.slice(7);
            };
            const answer = rates.answerFromRecords?.(asked);
            expect(await answer?.answer({ records: inPieces(list), isBySample: false })).toEqual(expected);
            const sorted = list.toSorted((a, b) => (a.sample < b.sample ? -1 : Number(a.sample > b.sample)));
            expect(await answer?.answer({ records: inPieces(sorted), isBySample: true })).toEqual(expected);
        }),
        { numRuns: runs(8) },
    );
});

it.each([
    ['groups, and no samples, where those come one behind the other', true, 2_000_000],
    ['columns of samples where several directories may hold one', false, 6_000_000],
])('holds in memory %s', async (_, isBySample, most) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const heap = (): number => {
        collectGarbage();
        const { heapUsed, external } = process.memoryUsage();
        return heapUsed + external;
    };
    let grown = 0;
    const many = async function* () {
        const before = heap();
        for (let at = 0; at < 40_000; at += 1) {
            const task = { group: 'main', success_level: at % 3 === 0 ? 'full' : 'failure' } as const;
            yield [makeBriefRecord({ ...BLANK, ...task, sample: `sample-${at}` })];
        }
        grown = heap() - before;
    };
    const asked = { by: null, limit: null, where: null, k: [1] };
    const answer = await rates.answerFromRecords?.(asked)?.answer({ records: many(), isBySample });
    expect([...((answer?.rows ?? []) as Iterable<unknown[]>)].map((row) => row.slice(0, 3))).toEqual([
        ['main', 40_000, 13_334],
    ]);
    // An object for each sample would take 7 MB or more.
    expect(grown).toBeLessThan(most);
});

it('leaves conditions, lists and what is not in brief records to the engine', () => {
    const asked = { by: null, limit: null, where: null, k: [1] };
    expect(rates.answerFromRecords?.(asked)).not.toBeNull();
    expect(rates.answerFromRecords?.({ ...asked, where: 'true' })).toBeNull();
    for (const name of ['expected', 'model', 'dimensions.x', 'prompt_type', 'nothing', 'constructor'])
        expect(choosePlainFields(['group', name])).toBeNull();
});
