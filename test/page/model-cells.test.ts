import { expect, it } from 'vitest';
import { packPage, type PageHeader, TEXT_COLUMNS, type TextColumn } from '../../src/model/page-data.js';
import { VERDICTS } from '../../src/model/verdict.js';
import { buildModelCells } from '../../src/page/data/model-cells.js';
import { RunData } from '../../src/page/data/run-data.js';

/** A run of one model: `F` accepted, `X` wrong, by sample. */
function makeRun(
    group: string,
    samples: Readonly<Record<string, string>>,
    rowOf: (index: number) => number = () => 0,
): RunData {
    const ends = Object.values(samples).flatMap((text, sample) =>
        Array.from(text, (end, index) => ({ sample, index, end })),
    );
    const none = Object.fromEntries(TEXT_COLUMNS.map((name) => [name, ['']])) as Record<TextColumn, string[]>;
    const header: PageHeader = {
        format: 1,
        dir: 'out',
        version: '0',
        generatedAt: '2026-11-30T00:00:00.000Z',
        startedAt: 0,
        datasets: [],
        comparison: null,
        samples: Object.keys(samples),
        groups: [group],
        totals: Object.values(samples).map(({ length }) => [length]),
        removed: 0,
        entries: ends.length,
        dictionaries: { ...none, model: ['', 'm'] },
        leftOut: null,
    };
    const column = (pick: (one: (typeof ends)[number]) => number): Uint32Array =>
        Uint32Array.from(ends, (one) => pick(one));
    return new RunData(
        packPage(header, {
            sample: column(({ sample }) => sample),
            index: column(({ index }) => index),
            model: column(() => 1),
            row: column(({ index }) => rowOf(index)),
            outcome: column(({ end }) => VERDICTS.indexOf(end === 'F' ? 'Accepted' : 'WrongAnswer')),
        }),
    );
}

const passAt = (data: RunData): unknown => buildModelCells(data, null)[0]?.passAt;

it('pass@k is shown where every sample has k answers, as resume-run analyze does', () => {
    expect(passAt(makeRun('instance', { a: 'FXX', b: 'FFF' }))).toEqual([
        { k: 1, value: (1 / 3 + 1) / 2 },
        { k: 3, value: 1 },
    ]);
    expect(passAt(makeRun('instance', { a: 'FX', b: 'FFF' }))).toEqual([{ k: 1, value: 0.75 }]);
});

it('rows of a list ask different things, however many one file holds', () => {
    expect(passAt(makeRun('main', { 'rows.jsonl-1of1': 'FXXXXXXXXX' }))).toEqual([{ k: 1, value: 0.1 }]);
});

it('answers of a cell to different rows are no answers to one question', () => {
    const twoRows = (index: number): number => 7 + (index % 2);
    // F F F for the first row, X X X for the second.
    expect(passAt(makeRun('instance', { a: 'FXFXFX' }, twoRows))).toEqual([
        { k: 1, value: 0.5 },
        { k: 3, value: 0.5 },
    ]);
    expect(passAt(makeRun('instance', { a: 'FXFX' }, twoRows))).toEqual([{ k: 1, value: 0.5 }]);
});
