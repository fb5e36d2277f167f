import { describe, expect, it } from 'vitest';
import type { AnswerKind, AnswerValue } from '../../src/model/answer.js';
import { renderAnswer } from '../../src/report/answer.js';
import { formatDollars } from '../../src/report/format.js';
import { PLAIN } from '../../src/report/style.js';

async function show(kind: AnswerKind, value: AnswerValue): Promise<string> {
    const answer = { question: 'q', columns: [{ name: 'x', kind }], rows: [[value]], notes: [] };
    let text = '';
    for await (const part of renderAnswer(answer, 'table', { width: 80, style: PLAIN })) text += part;
    return text.trim().split(/\s*\n\s*/)[1] ?? '';
}

describe('a value of an answer', () => {
    it.each([
        ['share', 0, '0 %'],
        ['share', 1, '100 %'],
        ['share', 0.5, '50.0 %'],
        // Rounded neither to 0 % nor to 100 %.
        ['share', 0.0001, '0.1 %'],
        ['share', 0.99996, '99.9 %'],
        ['usd', 12.4, '12.40'],
        ['usd', 0.00002, '0.000020'],
        ['number', 10_800, '10,800'],
        ['number', 0.123456, '0.1235'],
    ] as const)('of kind %s: %d is shown as %s', async (kind, value, shown) => {
        expect(await show(kind, value)).toBe(shown);
    });
});

it.each([
    [0, '0.00'],
    [0.0512, '0.0512'],
    [0.00999, '0.0100'],
    [0.00123, '0.0012'],
    [0.000000314, '0.00000031'],
    [1e-20, '0.000000000000'],
    [3.456, '3.46'],
])('%d dollars are shown as %s', (amount, text) => {
    expect(formatDollars(amount)).toBe(text);
});
