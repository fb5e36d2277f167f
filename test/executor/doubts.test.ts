import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TimeOut, chooseTime, suspectTimeOut } from '../../src/executor/doubts.js';

let answer = '';
beforeAll(async () => {
    answer = join(await mkdtemp(join(tmpdir(), 'rig-outcome-')), 'ans');
    await writeFile(answer, '10 20\n30\n');
});

const seen = (output: string, over: Partial<TimeOut> = {}): TimeOut => ({
    output: Buffer.from(output),
    doubt: 'unmeasured',
    first: false,
    checker: { kind: 'tokens' },
    answer,
    ...over,
});

describe('a time-out', () => {
    it.each([
        ['with output, at the full limit', '1', {}, null],
        ['without output', ' \n', {}, 'no-output'],
        ['at the first limit, right so far', '10\n20 3', { first: true }, 'first-timeout'],
        ['at the first limit, wrong so far', '10 21', { first: true }, null],
        ['at the first limit, with all that is expected', '10 20 30', { first: true }, null],
        ['at the first limit, without output', '', { first: true }, 'no-output'],
        [
            'at the first limit, where texts may differ',
            '11',
            { first: true, checker: { kind: 'sandboxfusion' } },
            'first-timeout',
        ],
        ['with CPU time that is certain', '', { doubt: 'certain' }, null],
        ['with CPU time near the limit', '1', { doubt: 'near-time' }, 'near-time'],
        [
            'with certain CPU time at the first limit, without output',
            '',
            { doubt: 'certain', first: true },
            'first-timeout',
        ],
    ] as const)('%s', async (_, output, over, expected) => {
        expect(await suspectTimeOut(seen(output, over))).toBe(expected);
    });
});

describe('limits of an attempt', () => {
    it('starts at --first-timeout, and confirms at the full limit', () => {
        expect(chooseTime(1000, null, false)).toBe(1000);
        expect(chooseTime(1000, 20, false)).toBe(20);
        expect(chooseTime(1000, 20, true)).toBe(1000);
        expect(chooseTime(5, 20, false)).toBe(5);
    });
});
