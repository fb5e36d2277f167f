import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, constantFrom, dictionary, jsonValue, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEarlierFolder, parseResult } from '../../src/checkpoint/earlier/folder.js';
import {
    readEarlierVerdict,
    normalizeCheckedEntry,
    normalizeEarlierEntry,
    dropFalseVerdict,
} from '../../src/checkpoint/earlier/normalize.js';
import { readCheckpointFile } from '../../src/checkpoint/result-file/read-file.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { getVerdict } from '../../src/model/tally.js';
import { BY, entry, place, scratch, state } from './rig.js';
import { runs } from '../rig/long.js';

const run = (more: JsonObject = {}): JsonObject => ({
    status: 'Finished',
    execution_time: 0.25,
    return_code: 0,
    stdout: 'x',
    stderr: '',
    ...more,
});

function test(
    passed: boolean,
    info: JsonObject = { status: 'Success', compile_result: null, run_result: run() },
) {
    return { passed, exec_info: info, test_info: { input: { stdin: '1' }, output: { stdout: '2' } } };
}

function earlierEntry(accepted: boolean, tests: JsonObject[], more: JsonObject = {}): JsonObject {
    return {
        language: 'PYTHON',
        solution: 'print(1)',
        result: { id: 'p/1', accepted, extracted_code: 'print(1)', tests, ...more },
    };
}

describe('the verdict of an earlier entry', () => {
    const failed = (info: JsonObject): JsonObject => ({
        accepted: false,
        tests: [test(true), test(false, info)],
    });

    it.each([
        ['Accepted', { accepted: true, tests: [test(true)] }],
        ['WrongAnswer', failed({ status: 'Success', run_result: run() })],
        [
            'TimeLimitExceeded',
            failed({ status: 'Failed', run_result: run({ status: 'TimeLimitExceeded', return_code: null }) }),
        ],
        ['RuntimeError', failed({ status: 'Failed', run_result: run({ status: 'Error', return_code: 1 }) })],
        [
            'CompileError',
            failed({
                status: 'Failed',
                compile_result: run({ status: 'Error', return_code: 1 }),
                run_result: null,
            }),
        ],
        [
            'CompileError',
            failed({
                status: 'Failed',
                compile_result: run({ status: 'TimeLimitExceeded', return_code: null }),
            }),
        ],
        [null, failed({ status: 'SandboxError' })],
        [null, { accepted: true, tests: [test(true, { status: 'SandboxError' })] }],
        [null, failed({ status: 'Failed', compile_result: null, run_result: null })],
        [null, { accepted: 'true', tests: [] }],
        [null, { accepted: false, tests: [] }],
        [null, { accepted: true, tests: [] }],
        [null, { accepted: false, tests: [{ passed: false, exec_info: null }] }],
        [null, failed({ status: 'Success', run_result: null })],
        [null, failed({ status: 'Success' })],
        [
            null,
            failed({
                status: 'Failed',
                compile_result: run({
                    return_code: 1,
                    stderr: 'Main.java:3: error: class Sol is public, should be declared in a file named Sol.java',
                }),
            }),
        ],
        [
            null,
            failed({
                status: 'Failed',
                run_result: run({
                    return_code: 1,
                    stderr: 'Error: Could not find or load main class Main\n',
                }),
            }),
        ],
        [null, { accepted: false, tests: [test(true)] }],
        [null, { accepted: true, tests: [test(false)] }],
        [null, { detail: 'Internal Server Error' }],
    ])('is %s', (verdict, result) => {
        expect(readEarlierVerdict(result as JsonObject)).toBe(verdict);
    });
});

describe('an entry that 0.1 took over', () => {
    const noAnswer: JsonObject = {
        accepted: false,
        verdict: 'WrongAnswer',
        tests: [{ passed: false, exec_info: {} }],
    };
    const judged: JsonObject = { accepted: true, verdict: 'Accepted', tests: [test(true)] };
    const noTests: JsonObject = { accepted: true, verdict: 'Accepted', tests: [] };

    it('keeps its verdict only if it holds one', () => {
        const verdicts = [noAnswer, judged, noTests].map((result, index) => {
            const entry = { index, language: 'CPP', result, attempts: [], fingerprint: `f${index}` };
            return getVerdict(dropFalseVerdict(entry));
        });
        expect(verdicts).toEqual([null, 'Accepted', null]);
    });
});

describe('an earlier entry', () => {
    it('comes into our form: verdict and times named, copies of the tests dropped, the rest kept', () => {
        const { entry: normal } = normalizeEarlierEntry(
            earlierEntry(false, [test(true), test(false)], { score: 0.5 }),
        );
        expect(normal).toEqual({
            index: null,
            language: 'PYTHON',
            solution: 'print(1)',
            result: {
                accepted: false,
                verdict: 'WrongAnswer',
                tests: [true, false].map((passed) => ({
                    passed,
                    ...(passed ? {} : { verdict: 'WrongAnswer' }),
                    cpu_time: null,
                    wall_time: 0.25,
                    memory: null,
                    exec_info: { status: 'Success', compile_result: null, run_result: run() },
                })),
                id: 'p/1',
                score: 0.5,
            },
            attempts: [],
            fingerprint: null,
        });
    });

    it('without a verdict cannot pass for a finished one', () => {
        for (const result of [
            null,
            'error',
            5,
            { accepted: 1, verdict: 'Accepted' },
            { verdict: 'Accepted' },
        ]) {
            const { entry: normal } = normalizeEarlierEntry({ language: 'CPP', solution: 'x', result });
            expect(getVerdict(normal)).toBeNull();
        }
    });

    it('never makes anything throw', () => {
        assert(
            property(jsonValue(), jsonValue(), (result, other) => {
                const raw = JSON.parse(JSON.stringify({ result, other, solution: other })) as JsonObject;
                const { entry: normal } = normalizeEarlierEntry(raw);
                expect(normal.index).toBeNull();
                expect(isJsonObject(normal.result)).toBe(true);
            }),
        );
    });
});

describe('a file of the earlier tools', () => {
    const file = {
        id: 'p/1',
        solution_result: [earlierEntry(true, [test(true)]), null, earlierEntry(false, [test(false)])],
        incorrect_solution_result: [],
    };

    it('is read as one, whole or in pieces, without the copies of the tests', async () => {
        const path = join(scratch(), 'p_1.json');
        writeFileSync(path, JSON.stringify(file, null, 4));
        const whole = await readCheckpointFile(path, 'p/1');
        expect(whole).toMatchObject({
            kind: 'checkpoint',
            checkpoint: { origin: 'earlier', isComplete: false, totals: new Map() },
        });
        expect(JSON.stringify(whole.kind === 'checkpoint' && [...whole.checkpoint.entries])).not.toContain(
            'test_info',
        );
        expect(await readCheckpointFile(path, 'p/1', 0)).toEqual(whole);
    });

    it('is copied to earlier/ before its first rewrite, and what matches nothing is kept', async () => {
        const { store, results, checkpoints } = place(['p:1']);
        mkdirSync(results);
        const text = JSON.stringify({ ...file, id: 'p:1' });
        writeFileSync(join(results, 'p:1.json'), text);
        const opened = store();
        const read = await opened.read('p:1');
        const [right, wrong] = read?.entries.get('solution') ?? [];
        if (right === undefined || wrong === undefined) throw new Error('two entries expected');
        const writer = opened.open(
            state('p:1', [['solution', 2]], {
                origin: 'earlier',
                kept: [{ group: 'solution', index: 1, fingerprint: 'f1', occurrence: 0, stored: right }],
                superseded: [{ group: 'solution', reason: 'no such source', stored: wrong }],
            }),
        );
        expect(existsSync(checkpoints)).toBe(false);
        await writer.commit('solution', entry(0), BY);
        expect(readdirSync(results)).toEqual(['p%3A1.json']);
        expect(readFileSync(join(checkpoints, 'earlier', 'p:1.json'), 'utf8')).toBe(text);
        const [line = ''] = readFileSync(join(checkpoints, 'superseded.jsonl'), 'utf8').split('\n');
        expect(JSON.parse(line)).toMatchObject({
            sample: 'p:1',
            group: 'solution',
            reason: 'no such source',
            entry: { solution: 'print(1)', result: { verdict: 'WrongAnswer' } },
        });
        const again = await store().read('p:1');
        expect(again).toMatchObject({ origin: 'resume-run', isComplete: true });
        expect(again?.entries.get('solution')?.map((stored) => stored.entry.index)).toEqual([0, 1]);
    });

    it('goes away although an upgrade was killed before it could remove it', async () => {
        const { store, results, checkpoints } = place(['p:1']);
        await store()
            .open(state('p:1', [['solution', 1]]))
            .commit('solution', entry(0), BY);
        writeFileSync(join(results, 'p:1.json'), JSON.stringify({ ...file, id: 'p:1' }));
        expect((await store({ readOnly: true }).read('p:1'))?.origin).toBe('resume-run');
        expect(readdirSync(results)).toHaveLength(2);
        expect((await store().read('p:1'))?.origin).toBe('resume-run');
        expect(readdirSync(results)).toEqual(['p%3A1.json']);
        expect(readdirSync(join(checkpoints, 'earlier'))).toEqual(['p:1.json']);
    });

    it('keeps its name among ids that collide', async () => {
        const { store, results } = place(['a/b', 'a_b']);
        mkdirSync(results);
        writeFileSync(join(results, 'a_b.json'), JSON.stringify({ ...file, id: 'a/b' }));
        const opened = store();
        for (const id of ['a_b', 'a/b']) {
            const read = await opened.read(id);
            expect(read?.origin).toBe(id === 'a/b' ? 'earlier' : undefined);
            await opened
                .open(state(id, [['solution', 1]], { origin: read?.origin ?? 'new' }))
                .commit('solution', entry(0, 'Accepted', { solution: id }), BY);
        }
        expect(readdirSync(results)).toHaveLength(2);
        for (const id of ['a_b', 'a/b']) {
            expect((await store().read(id))?.entries.get('solution')?.[0]?.entry.solution).toBe(id);
        }
        expect(readFileSync(join(results, 'a_b.json'), 'utf8')).toContain('"id": "a/b"');
    });
});

describe('a folder with a file for each result', () => {
    const bare = (source: string, tests = [test(true)]): JsonObject => ({
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
        write('solution_2.json', bare('two', [test(false)]));
        write('incorrect_solution_0.json', { language: 'CPP', solution: 'whole', result: bare('whole') });
        write('notes.txt', 'not ours');
        write('summary.json', {});
        write('solution_0.json', '{"accepted": tr');
        write('solution_1.json', { accepted: true, tests: [test(true)] });
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
                compile_result: constantFrom<Json>(null, run(), run({ return_code: 1 }), 3),
                run_result: constantFrom<Json>(null, run(), run({ status: 'TimeLimitExceeded' }), 'x'),
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
                    // Taken over once, it stays what it is at every later start.
                    const again = dropFalseVerdict({ ...normal, index: 0, fingerprint: 'f' });
                    expect(getVerdict(again)).toBe(verdict);
                }
            }),
            { numRuns: runs(200) },
        );
    });
});

describe('verdicts of <id>_checker.json', () => {
    const wrong = earlierEntry(false, [test(true), test(false)]);
    const checked = earlierEntry(true, [test(true), test(false)]);
    const timedOut = run({ status: 'TimeLimitExceeded', return_code: null });

    it('count although tests compare the output otherwise, but only of programs that ran to their end', () => {
        expect(normalizeCheckedEntry(checked).entry.result).toMatchObject({
            accepted: true,
            verdict: 'Accepted',
            judged_by: 'earlier checker',
            tests: [{ passed: true }, { passed: true }],
        });
        const stopped = earlierEntry(true, [test(false, { status: 'Failed', run_result: timedOut })]);
        expect(getVerdict(normalizeCheckedEntry(stopped).entry)).toBeNull();
        expect(getVerdict(normalizeCheckedEntry(earlierEntry(false, [test(true)])).entry)).toBe(
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
            JSON.stringify({ solution_result: [checked, earlierEntry(true, [test(true)])] }),
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
