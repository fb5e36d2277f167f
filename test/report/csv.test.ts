import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportCsv } from '../../src/report/csv.js';
import { group, reportOf, sampleTally, someSamples } from './fixtures.js';

describe('CSV', () => {
    test('as an example', async () => {
        expect([...reportCsv(await reportOf(someSamples()))].join('').split('\r\n')).toEqual([
            'sample,complete,solution_total,solution_judged,solution_accepted,solution_failed,solution_skipped,solution_open,incorrect_solution_total,incorrect_solution_judged,incorrect_solution_accepted,incorrect_solution_failed,incorrect_solution_skipped,incorrect_solution_open,tpr,tnr,unexpected,near_limit',
            'Codeforces/1575/A,false,19,19,17,0,2,0,26,25,2,1,0,0,0.8947368421052632,0.92,4,1',
            'hello,true,4,4,4,0,0,0,4,4,0,0,0,0,1,1,0,0',
            'p10-\u4e2d\u6587\u984c\u76ee,false,5,1,1,0,0,4,,,,,,,1,,0,0',
            '',
        ]);
    });

    test('any id is read back (RFC 4180)', async () => {
        const piece = fc.constantFrom('"', ',', '\r', '\n', '\r\n', 'a', ' ', '\u4e2d');
        await fc.assert(
            fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
                const id = pieces.join('');
                const report = await reportOf([sampleTally(id, { solution: group({ Accepted: 1 }) })]);
                const csv = [...reportCsv(report)].join('');
                // Spreadsheets take such a beginning for a formula, so an apostrophe is put in front of it.
                expect(parseCsv(csv)[1]?.[0]).toBe(id.startsWith('\r') ? `'${id}` : id);
                expect(parseCsv(csv).map((row) => row.length)).toEqual([12, 12]);
            }),
        );
    });
});

/** A simple parser for RFC 4180. */
function parseCsv(text: string): string[][] {
    const rows: string[][] = [];
    let row: string[] = [];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
        row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
        if (end === ',') continue;
        rows.push(row);
        row = [];
    }
    return rows;
}
