import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fromJSONSchema, type ZodType } from 'zod';
import { PROGRAM_VERDICTS } from '../../src/model/verdict.js';
import { samplesOf } from './rig.js';

type Schema = Parameters<typeof fromJSONSchema>[0];

async function schema(): Promise<ZodType> {
    return fromJSONSchema(JSON.parse(await readFile('docs/plain-form.schema.json', 'utf8')) as Schema);
}

const program = { language: 'cpp', source: 'int main(){}' };
const test = { input: '1', output: '2' };

const GOOD: readonly Record<string, unknown>[] = [
    { id: 'x', tests: [] },
    { id: 7, tests: [test], solutions: [program], incorrect_solutions: [program] },
    {
        id: 'x',
        tests: [{ ...test, name: 'big' }],
        time_limit: 0.5,
        memory_limit: '64 MiB',
        output_limit: 100,
    },
    { id: 'x', tests: [], checker: 'float:1e-6' },
    { id: 'x', tests: [], checker: 'kattis:case_sensitive' },
    { id: 'x', tests: [], checker: { convention: 'testlib', language: 'python3', source: '' } },
    ...PROGRAM_VERDICTS.map((expected) => ({ id: 'x', tests: [], solutions: [{ ...program, expected }] })),
    { id: 'x', tests: [], solutions: [{ ...program, expected: ['Accepted', 'TimeLimitExceeded'] }] },
];

const BAD: readonly Record<string, unknown>[] = [
    { tests: [] },
    { id: '', tests: [] },
    { id: 'x', tests: {} },
    { id: 'x', tests: [{ input: '1' }] },
    { id: 'x', tests: [], time_limit: 0 },
    { id: 'x', tests: [], memory_limit: '64 megs' },
    { id: 'x', tests: [], checker: 'fuzzy' },
    { id: 'x', tests: [], checker: { convention: 'other', path: 'a' } },
    { id: 'x', tests: [], checker: { convention: 'testlib', source: '' } },
    { id: 'x', tests: [], solutions: [{ language: 'cpp' }] },
    { id: 'x', tests: [], solutions: [{ source: '' }] },
    { id: 'x', tests: [], solutions: [{ ...program, expected: 'WA' }] },
];

describe('the schema of the plain form', () => {
    it.each(GOOD)('takes what the reader takes: %j', async (row) => {
        expect((await schema()).safeParse(row).success).toBe(true);
        expect(await samplesOf([row], { format: 'plain' })).toHaveLength(1);
    });

    it.each(BAD)('refuses what the reader refuses: %j', async (row) => {
        expect((await schema()).safeParse(row).success).toBe(false);
        await expect(samplesOf([row], { format: 'plain' })).rejects.toThrow(/rows\.jsonl:1: /);
    });
});
