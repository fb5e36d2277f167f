import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, jsonValue, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    readEarlierVerdict,
    normalizeEarlierEntry,
    dropFalseVerdict,
} from '../../src/checkpoint/earlier/normalize.js';
import { readCheckpointFile } from '../../src/checkpoint/result-file/read-file.js';
import { isJsonObject, type JsonObject } from '../../src/model/json.js';
import { getVerdict } from '../../src/model/tally.js';
import { BY, entry, place, scratch, state } from './rig.js';
import { checkedTest, earlierEntry, runResult } from './earlier-rig.js';

describe('the verdict of an earlier entry', () => {
    const failed = (info: JsonObject): JsonObject => ({
        accepted: false,
        tests: [checkedTest(true), checkedTest(false, info)],
    });

    it.each([
        ['Accepted', { accepted: true, tests: [checkedTest(true)] }],
        ['WrongAnswer', failed({ status: 'Success', run_result: runResult() })],
        [
            'TimeLimitExceeded',
            failed({
                status: 'Failed',
                run_result: runResult({ status: 'TimeLimitExceeded', return_code: null }),
            }),
        ],
        [
            'RuntimeError',
            failed({ status: 'Failed', run_result: runResult({ status: 'Error', return_code: 1 }) }),
        ],
        [
            'CompileError',
            failed({
                status: 'Failed',
                compile_result: runResult({ status: 'Error', return_code: 1 }),
                run_result: null,
            }),
        ],
        [
            'CompileError',
            failed({
                status: 'Failed',
                compile_result: runResult({ status: 'TimeLimitExceeded', return_code: null }),
            }),
        ],
        [null, failed({ status: 'SandboxError' })],
        [null, { accepted: true, tests: [checkedTest(true, { status: 'SandboxError' })] }],
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
                compile_result: runResult({
                    return_code: 1,
                    stderr: 'Main.java:3: error: class Sol is public, should be declared in a file named Sol.java',
                }),
            }),
        ],
        [
            null,
            failed({
                status: 'Failed',
                run_result: runResult({
                    return_code: 1,
                    stderr: 'Error: Could not find or load main class Main\n',
                }),
            }),
        ],
        [null, { accepted: false, tests: [checkedTest(true)] }],
        [null, { accepted: true, tests: [checkedTest(false)] }],
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
    const judged: JsonObject = { accepted: true, verdict: 'Accepted', tests: [checkedTest(true)] };
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
            earlierEntry(false, [checkedTest(true), checkedTest(false)], { score: 0.5 }),
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
                    exec_info: { status: 'Success', compile_result: null, run_result: runResult() },
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
        solution_result: [
            earlierEntry(true, [checkedTest(true)]),
            null,
            earlierEntry(false, [checkedTest(false)]),
        ],
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
