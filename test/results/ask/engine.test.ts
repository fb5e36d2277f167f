import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/model/answer.js';
import { AskEngine } from '../../../src/results/ask/engine.js';
import { QUESTION_NAMES, QUESTIONS, type QuestionName } from '../../../src/results/ask/questions.js';
import type { QuestionOptions } from '../../../src/results/ask/question.js';
import {
    makeRecord,
    type RecordInput,
    type ResultRecord,
    recordLine,
} from '../../../src/results/record/record.js';
import { loadCodec } from '../../../src/results/store/part-codec.js';
import { findCoordinates } from '../../../src/results/tree/master-tree.js';
import { tempDir } from '../../rig/cli.js';
import { recordInput } from '../records.js';

async function openEngine(
    records: readonly ResultRecord[],
    parquet = false,
    dir = tempDir(),
): Promise<AskEngine> {
    mkdirSync(join(dir, 'parts'));
    const json = join(dir, 'parts', 'a.jsonl');
    writeFileSync(json, records.map((record) => `${recordLine(record)}\n`).join(''));
    const folders = [join(dir, 'parts')];
    if (!parquet) return await AskEngine.open({ json: [json], parquet: [], cells: [], folders }, dir);
    const target = join(dir, 'parts', 'a.parquet');
    await (await loadCodec('parquet')).encode({ path: json, longest: 1024 * 1024, present: null }, target);
    return await AskEngine.open({ json: [], parquet: [target], cells: [], folders }, dir);
}

const NONE: QuestionOptions = { by: null, where: null, limit: null, k: [1] };

async function ask(
    engine: AskEngine,
    question: QuestionName,
    options: Partial<QuestionOptions> = {},
): Promise<Record<string, unknown>[]> {
    const answer = await (await QUESTIONS[question].load()).answer(engine, { ...NONE, ...options });
    return await rowsOf(answer);
}

async function rowsOf({
    columns,
    rows,
}: Omit<Answer, 'question' | 'notes'>): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for await (const row of rows)
        found.push(Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
    return found;
}

/** Tasks of one sample, one character each: F full, P partial, X failed, ! infrastructure failure. */
function tasks(sample: string, ends: string, more: Partial<RecordInput> = {}): ResultRecord[] {
    return Array.from(ends, (end, index) => {
        const failure = end === '!';
        const success_level = failure ? null : end === 'F' ? 'full' : end === 'P' ? 'partial' : 'failure';
        const verdict = failure ? null : end === 'F' ? 'Accepted' : 'WrongAnswer';
        return makeRecord(
            recordInput({
                sample,
                index,
                fingerprint: `f-${index}`,
                success_level,
                verdict,
                accepted: verdict === null ? null : verdict === 'Accepted',
                ...(failure ? { failure_reason: 'endpoint' } : {}),
                expected: ['Accepted'],
                ...more,
            }),
        );
    });
}

describe('questions', () => {
    it('give rates over judged tasks and over all of them', async () => {
        const engine = await openEngine([...tasks('a', 'FFX!'), ...tasks('b', 'PX', { group: 'other' })]);
        const [other, solution] = await ask(engine, 'rates');
        expect(solution).toMatchObject({
            group: 'solution',
            total: 3,
            success: 2,
            failed: 1,
            infrastructure: 1,
            success_rate: 2 / 3,
            rate_of_all: 0.5,
            interval_by: 'tasks',
        });
        expect(other).toMatchObject({ total: 2, success: 0, partial: 1, failed: 1, as_expected: 0 });
        const [whole] = await ask(engine, 'rates', { by: [], where: `"group" = 'solution' -- a comment` });
        expect(whole).toMatchObject({ total: 3 });
        engine.close();
    });

    it.each([false, true])('group by fields and by other dimensions (Parquet: %s)', async (parquet) => {
        const engine = await openEngine(
            [
                ...tasks('a', 'FX', { model: 'm1', dimensions: '{"seed":"1","it\'s \\"":2}' }),
                ...tasks('b', 'F', { model: 'm2', is_flawed: true, flaw_type: 'tool_misuse' }),
            ],
            parquet,
        );
        expect(await ask(engine, 'matrix')).toMatchObject([
            { model: 'm1', prompt_type: null, total: 2 },
            { model: 'm2', prompt_type: 'flawed_tool_misuse', total: 1 },
        ]);
        expect(await ask(engine, 'rates', { by: ['dimensions.seed'] })).toMatchObject([
            { 'dimensions.seed': '1', total: 2 },
            { 'dimensions.seed': null, total: 1 },
        ]);
        expect(await ask(engine, 'rates', { by: ['dimensions.it\'s "'] })).toMatchObject([
            { total: 2 },
            { total: 1 },
        ]);
        await expect(ask(engine, 'rates', { by: ['modle'] })).rejects.toThrow(/--by.*did you mean model\?/);
        engine.close();
    });

    it('give pass@k over samples, and refuse it where a sample has too few answers', async () => {
        const engine = await openEngine([
            ...tasks('a', 'FXXX', { model: 'm' }),
            ...tasks('b', 'FF!', { model: 'm' }),
        ]);
        const [row] = await ask(engine, 'pass-at-k', { k: [1, 2, 4] });
        expect(row).toMatchObject({ model: 'm', samples: 2, answers: 6, 'pass@4': null });
        expect(row?.['pass@1']).toBeCloseTo((0.25 + 1) / 2, 12);
        expect(row?.['pass@2']).toBeCloseTo((0.5 + 1) / 2, 12);
        engine.close();
    });

    it('give pass@k over the rows of a list, of which only equal ones ask the same', async () => {
        const inList = { model: 'm', group: 'main' };
        const twice = ['FX', 'FF', 'XX'].flatMap((ends, row) =>
            tasks('rows.jsonl-1of1', ends, { ...inList, fingerprint: `row-${row}` }).map(
                (record, occurrence) => makeRecord({ ...record, occurrence }),
            ),
        );
        const engine = await openEngine(twice);
        const [row] = await ask(engine, 'pass-at-k', { k: [1, 2, 3] });
        expect(row).toMatchObject({ samples: 3, answers: 6, 'pass@1': 0.5, 'pass@3': null });
        expect(row?.['pass@2']).toBeCloseTo(2 / 3, 12);
        engine.close();
    });

    it('name a prompt by its flaw as the tree does, and by its type where the flaw is not known', async () => {
        const records = [
            ...tasks('a', 'F', { model: 'm', prompt_type: 'cot', is_flawed: true, flaw_type: 'tool_misuse' }),
            ...tasks('b', 'F', { model: 'm', prompt_type: 'cot', is_flawed: true }),
        ];
        const inTree = records.map((record) => findCoordinates(record, 'm')[1]);
        expect(inTree).toEqual(['flawed_tool_misuse', 'cot']);
        const engine = await openEngine(records);
        const inMatrix = await ask(engine, 'matrix');
        const inCells = await rowsOf(await engine.ask('select prompt_type from cells'));
        for (const rows of [inMatrix, inCells])
            expect(new Set(rows.map((row) => row['prompt_type']))).toEqual(new Set(inTree));
        engine.close();
    });

    it('give pass@k over the rows that instances of a cell ask, and over cells without rows', async () => {
        const instances = (sample: string, ends: readonly string[]) =>
            ends.flatMap((one, row) =>
                tasks(sample, one, { model: 'm', group: 'instance', fingerprint: `${sample}-${row}` }).map(
                    (record, occurrence) =>
                        makeRecord({
                            ...record,
                            occurrence,
                            row_hash: ends.length === 1 ? null : `row-${row}`,
                        }),
                ),
            );
        const engine = await openEngine([...instances('a', ['FX', 'XX']), ...instances('b', ['FF'])]);
        const [row] = await ask(engine, 'pass-at-k', { k: [1, 2] });
        // Two rows and one cell; counted as four answers to one question, a's pass@2 would be a half.
        expect(row).toMatchObject({ samples: 3, answers: 6, 'pass@1': 0.5 });
        expect(row?.['pass@2']).toBeCloseTo((1 + 0 + 1) / 3, 12);
        engine.close();
    });

    it('give pass@k an interval that has a width where all samples agree', async () => {
        const engine = await openEngine([
            ...tasks('a', 'FF', { model: 'm' }),
            ...tasks('b', 'FF', { model: 'm' }),
            ...tasks('c', 'XX', { model: 'n' }),
        ]);
        const [all, alone] = await ask(engine, 'pass-at-k');
        // Like two trials that both succeed; for a single sample there is no interval.
        expect(all).toMatchObject({ 'pass@1': 1, 'high@1': 1 });
        expect(all?.['low@1']).toBeCloseTo(0.3424, 4);
        expect(alone).toMatchObject({ 'pass@1': 0, 'low@1': null, 'high@1': null });
        engine.close();
    });

    it('list flaky tasks, weak tests, slow tasks and endpoints', async () => {
        const attempt = (more: object) => ({
            attempt: 1,
            started_at: 'never',
            duration: 1,
            api_used: 'local',
            worker_id: 'w',
            ...more,
        });
        const log = JSON.stringify([
            attempt({ failure: 'sandbox' }),
            attempt({ verdict: 'Accepted', duration: 3 }),
        ]);
        const engine = await openEngine([
            ...tasks('a', 'F', { attempt_log: log, attempts: 2, cpu_time: 9 }),
            ...tasks('b', 'F', { attempt_log: 'not JSON', cpu_time: 1 }),
            ...tasks('c', 'FXX', { group: 'incorrect_solution' }),
        ]);
        expect(await ask(engine, 'flakiest')).toMatchObject([
            { sample: 'a', attempts: 2, failures: 1, ends: 'Accepted, sandbox' },
        ]);
        expect(await ask(engine, 'weak-tests')).toMatchObject([
            { sample: 'c', incorrect: 3, accepted: 1, share: 1 / 3 },
        ]);
        expect((await ask(engine, 'slowest', { limit: 1 })).map((row) => row['sample'])).toEqual(['a']);
        expect(await ask(engine, 'endpoints', { where: "sample = 'a'" })).toMatchObject([
            { endpoint: 'local', attempts: 2, failures: 1, failure_rate: 0.5, median: 2, longest: 3 },
        ]);
        engine.close();
    });

    it('list no more endpoints than are asked for', async () => {
        const log = (endpoint: string, end: object): string =>
            JSON.stringify([
                { attempt: 1, started_at: 'never', duration: 1, api_used: endpoint, worker_id: 'w', ...end },
            ]);
        const engine = await openEngine([
            ...tasks('a', 'F', { attempt_log: log('http://good', { verdict: 'Accepted' }) }),
            ...tasks('b', '!', { attempt_log: log('http://bad', { failure: 'endpoint' }) }),
        ]);
        const names = async (limit: number | null) =>
            (await ask(engine, 'endpoints', { limit })).map((row) => row['endpoint']);
        expect(await names(null)).toEqual(['http://bad', 'http://good']);
        expect(await names(1)).toEqual(['http://bad']);
        engine.close();
    });

    it('add up tokens and money, unknown ones apart', async () => {
        const paid = { model: 'm', prompt_tokens: 10, cached_tokens: 4, cost: 0.5 };
        const engine = await openEngine([...tasks('a', 'FX', paid), ...tasks('b', 'F', { model: 'm' })]);
        expect(await ask(engine, 'cost')).toMatchObject([
            {
                model: 'm',
                tasks: 3,
                prompt_tokens: 20,
                cached_tokens: 8,
                cost: 1,
                cost_per_success: 1,
                without_cost: 1,
            },
        ]);
        engine.close();
    });

    it.each(QUESTION_NAMES)('can be asked of no records at all: %s', async (name) => {
        const engine = await openEngine([]);
        const rows = await ask(engine, name);
        expect(rows.length).toBeLessThanOrEqual(1);
        engine.close();
    });
});

describe('SQL of a person', () => {
    it('reads the views and nothing else, and writes nothing', async () => {
        const dir = tempDir();
        const folder = join(dir, 'parts');
        const engine = await openEngine(
            [...tasks('a', 'FX'), ...tasks('b', 'F', { run: 'run-2', model: 'm' })],
            false,
            dir,
        );
        const rows = async (sql: string) => await rowsOf(await engine.ask(sql));
        expect(await rows('select run, records from runs order by run;')).toEqual([
            { run: 'run-1', records: 2 },
            { run: 'run-2', records: 1 },
        ]);
        expect(await rows('select model, success from cells')).toEqual([{ model: 'm', success: 1 }]);
        const target = join(tempDir(), 'stolen');
        for (const sql of [
            "select * from read_text('/etc/passwd')",
            "select * from read_csv('/etc/passwd')",
            "select * from glob('/etc/*')",
            "select * from '/etc/passwd'",
            `copy records to '${target}'`,
            `attach '${target}'`,
            `export database '${target}'`,
            'set enable_external_access = true',
            'install httpfs',
            'load httpfs',
            'drop view records',
            'select 1; select 2',
            'select',
            '',
            ' ',
            ';',
            // Also in the readable folder, because preparing these creates a folder or reads a script.
            `export database '${folder}/exported'`,
            `import database '${folder}'`,
        ])
            await expect(rows(sql), sql).rejects.toMatchObject({ name: 'UserError', exitCode: 2 });
        // Even if the check of the statement is bypassed, the engine itself refuses.
        await expect(engine.query(`copy records to '${target}'`)).rejects.toThrow(
            /disabled by configuration/,
        );
        await expect(engine.query('set enable_external_access = true')).rejects.toThrow(/locked|cannot/i);
        await expect(engine.query("set allowed_directories = ['/']")).rejects.toThrow(/locked|cannot/i);
        expect(existsSync(target)).toBe(false);
        expect(readdirSync(folder)).not.toContain('exported');
        engine.close();
    });
});
