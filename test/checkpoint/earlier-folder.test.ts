import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, constantFrom, dictionary, jsonValue, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEarlierFolder, parseResult } from '../../src/checkpoint/earlier/folder.js';
import {
    normalizeCheckedEntry,
    normalizeEarlierEntry,
    dropFalseVerdict,
} from '../../src/checkpoint/earlier/normalize.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { getVerdict } from '../../src/model/tally.js';
import { entry, place, scratch } from './rig.js';
import { runs } from '../rig/long.js';
import { checkedTest, earlierEntry, runResult } from './earlier-rig.js';

describe('a folder with a file for each result', () => {
    const bare = (source: string, tests = [checkedTest(true)]): JsonObject => ({
        id: 'p/1',
        accepted: tests.every(({ passed }) => passed),
        extracted_code: source,
        tests,
    });
    const stamp = { inode: '1', size: 0, mtime: '0' };

    it('is read task by task; what cannot be used is named with the reason, and the rest counts', async () => {
        const dir = scratch();
        const folder = join(dir, 'p_1');
        mkdirSync(folder);
        const write = (name: string, value: unknown): void =>
            writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
        write('solution_10.json', bare('ten'));
        write('solution_2.json', bare('two', [checkedTest(false)]));
        write('incorrect_solution_0.json', { language: 'CPP', solution: 'whole', result: bare('whole') });
        write('notes.txt', 'not ours');
        write('summary.json', {});
        write('solution_0.json', '{"accepted": tr');
        write('solution_1.json', { accepted: true, tests: [checkedTest(true)] });
        write('solution_3.json', { ...bare('other'), id: 'p_1' });
        write('solution_4.json', '['.repeat(100_000));
        write('solution_5.json', `{"extracted_code": "x", "deep": ${'['.repeat(5000)}${']'.repeat(5000)}}`);
        write('solution_6.json', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'));
        execFileSync('mkfifo', [join(folder, 'solution_7.json')]);
        symlinkSync('solution_8.json', join(folder, 'solution_8.json'));
        mkdirSync(join(folder, 'solution_9.json'));
        const read = await readEarlierFolder(dir, 'p_1', 'p/1', stamp);
        const sources = [...(read?.entries ?? [])].map(([group, list]) => [
            group,
            list.map(({ entry, file }) => [file, entry.solution, getVerdict(entry)]),
        ]);
        expect(sources).toEqual([
            [
                'solution',
                [
                    ['p_1/solution_2.json', 'two', 'WrongAnswer'],
                    ['p_1/solution_3.json', 'other', 'Accepted'],
                    ['p_1/solution_10.json', 'ten', 'Accepted'],
                ],
            ],
            ['incorrect_solution', [['p_1/incorrect_solution_0.json', 'whole', 'Accepted']]],
        ]);
        expect(read?.earlier?.unusable.map(({ file, reason }) => `${file}: ${reason}`)).toEqual([
            expect.stringMatching(/^p_1\/solution_0\.json: .*JSON/),
            'p_1/solution_1.json: without extracted_code nothing tells its source',
            expect.stringMatching(/^p_1\/solution_4\.json: .*JSON/),
            'p_1/solution_5.json: it is nested more than 1010 levels deep',
            expect.stringMatching(/^p_1\/solution_6\.json: /),
            'p_1/solution_7.json: not a file',
            'p_1/solution_8.json: not a file',
            'p_1/solution_9.json: not a file',
        ]);
    });

    it('of an id that shares it with another is left to that one', () => {
        expect(parseResult(bare('x'), 'p/1')).toMatchObject({ solution: 'x' });
        expect(parseResult({ ...bare('x'), id: 'a/b_c' }, 'a_b/c')).toBe('it is of "a/b_c"');
    });

    it('whatever stands in a file, nothing throws, and only judged tests make a verdict', () => {
        const info = record(
            {
                status: constantFrom<Json>('Success', 'Failed', 'SandboxError', null),
                compile_result: constantFrom<Json>(null, runResult(), runResult({ return_code: 1 }), 3),
                run_result: constantFrom<Json>(
                    null,
                    runResult(),
                    runResult({ status: 'TimeLimitExceeded' }),
                    'x',
                ),
            },
            { requiredKeys: [] },
        );
        const oneTest = oneof(
            jsonValue(),
            record(
                { passed: constantFrom<Json>(true, false, null, 1), exec_info: oneof(info, jsonValue()) },
                { requiredKeys: [] },
            ),
        );
        const answer = record(
            {
                id: oneof(constantFrom('p/1', 'p_1'), jsonValue()),
                accepted: constantFrom<Json>(true, false, 'true', null),
                extracted_code: oneof(constantFrom('', 'print(1)'), jsonValue()),
                solution: jsonValue(),
                result: jsonValue(),
                tests: oneof(jsonValue(), constantFrom<Json>([])),
                more: dictionary(string(), jsonValue()),
            },
            { requiredKeys: [] },
        );
        assert(
            property(answer, oneTest, oneTest, (given, first, second) => {
                const json = JSON.parse(JSON.stringify({ tests: [first, second], ...given })) as JsonObject;
                const read = parseResult(json, 'p/1');
                if (typeof read === 'string') return;
                for (const normalize of [normalizeEarlierEntry, normalizeCheckedEntry]) {
                    const { entry: normal } = normalize(read);
                    const verdict = getVerdict(normal);
                    const result: unknown = normal.result;
                    if (verdict === null || !isJsonObject(result)) continue;
                    expect(result.accepted).toBe(verdict === 'Accepted');
                    expect(Array.isArray(result.tests) && result.tests.length > 0).toBe(true);
                    // Once imported, the entry keeps its verdict at every later start.
                    const again = dropFalseVerdict({ ...normal, index: 0, fingerprint: 'f' });
                    expect(getVerdict(again)).toBe(verdict);
                }
            }),
            { numRuns: runs(200) },
        );
    });
});

describe('verdicts of <id>_checker.json', () => {
    const wrong = earlierEntry(false, [checkedTest(true), checkedTest(false)]);
    const checked = earlierEntry(true, [checkedTest(true), checkedTest(false)]);
    const timedOut = runResult({ status: 'TimeLimitExceeded', return_code: null });

    it('count although tests compare the output otherwise, but only of programs that ran to their end', () => {
        expect(normalizeCheckedEntry(checked).entry.result).toMatchObject({
            accepted: true,
            verdict: 'Accepted',
            judged_by: 'earlier checker',
            tests: [{ passed: true }, { passed: true }],
        });
        const stopped = earlierEntry(true, [checkedTest(false, { status: 'Failed', run_result: timedOut })]);
        expect(getVerdict(normalizeCheckedEntry(stopped).entry)).toBeNull();
        expect(getVerdict(normalizeCheckedEntry(earlierEntry(false, [checkedTest(true)])).entry)).toBe(
            'WrongAnswer',
        );
        expect(getVerdict(normalizeCheckedEntry(earlierEntry(true, [])).entry)).toBeNull();
    });

    it('replace those of the file beside it, and stand alone where there is none', async () => {
        const { store, results } = place(['p/1', 'p/2']);
        mkdirSync(results);
        writeFileSync(join(results, 'p_1.json'), JSON.stringify({ id: 'p/1', solution_result: [wrong] }));
        for (const number of [1, 2]) {
            const text = JSON.stringify({ id: `p/${number}`, solution_result: [checked] });
            writeFileSync(join(results, `p_${number}_checker.json`), text);
        }
        const opened = store();
        for (const [id, changedVerdicts] of [
            ['p/1', 1],
            ['p/2', 0],
        ] as const) {
            expect(await opened.stamp(id)).not.toBeNull();
            const read = await opened.read(id);
            expect(read?.earlier).toMatchObject({ changedVerdicts, folder: null });
            expect(read?.entries.get('solution')?.map(({ entry }) => getVerdict(entry))).toEqual([
                'Accepted',
            ]);
        }
    });

    it('replace those that 0.1 took over, and what stood there is superseded; others stay', async () => {
        const { store, results } = place(['p/1']);
        mkdirSync(results);
        const taken = { ...normalizeEarlierEntry(wrong).entry, index: 0, fingerprint: 'f0' };
        const judgedHere = { ...entry(1, 'WrongAnswer'), language: 'PYTHON', solution: 'print(1)' };
        const file = {
            id: 'p/1',
            solution_result: [taken, judgedHere],
            progress: { completed_solutions: 2, total_solutions: 2, is_complete: true },
        };
        writeFileSync(join(results, 'p_1.json'), JSON.stringify(file));
        writeFileSync(
            join(results, 'p_1_checker.json'),
            JSON.stringify({ solution_result: [checked, earlierEntry(true, [checkedTest(true)])] }),
        );
        const read = await store().read('p/1');
        expect(
            read?.entries.get('solution')?.map(({ entry }) => [entry.revision, getVerdict(entry)]),
        ).toEqual([
            [2, 'Accepted'],
            [undefined, 'WrongAnswer'],
        ]);
        expect(read?.replaced).toMatchObject([
            { group: 'solution', reason: 'p_1_checker.json says otherwise' },
        ]);
    });
});
