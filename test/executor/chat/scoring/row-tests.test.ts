import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRowTests } from '../../../../src/executor/chat/scoring/row-tests.js';
import type { Json } from '../../../../src/model/json.js';
import type { Task } from '../../../../src/model/task.js';

/** A task of a list, whose row is this JSON text. */
const taskOf = (text: string): Task => ({
    sample: 's',
    group: 'main',
    index: 0,
    fingerprint: 'f',
    input: { kind: 'data', data: JSON.parse(text) as Json, text, isRow: true },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
});

const read = (row: object) => readRowTests(taskOf(JSON.stringify(row)));

/** A list of tests as packed by LiveCodeBench: a pickle (protocol 2) of one string. */
function pack(tests: readonly object[]): string {
    const text = Buffer.from(JSON.stringify(tests));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return deflateSync(
        Buffer.concat([Buffer.from([0x80, 2, 0x58]), length, text, Buffer.from('.')]),
    ).toString('base64');
}

describe('the tests of a row', () => {
    it('are compared as the grader of their format compares them', () => {
        const tests = [{ input: '1', output: '2' }];
        expect(read({ tests })).toMatchObject({ checker: { kind: 'tokens' } });
        expect(read({ tests, checker: 'exact' })).toMatchObject({ checker: { kind: 'exact' } });
        expect(read({ public_test_cases: tests })).toMatchObject({ checker: { kind: 'livecodebench' } });
        expect(read({ input_output: { inputs: ['1'], outputs: ['2'] } })).toMatchObject({
            checker: { kind: 'apps' },
        });
        expect(
            read({ public_tests: { input: ['1'], output: ['2'] }, private_tests: { input: [], output: [] } }),
        ).toMatchObject({ checker: { kind: 'codecontests' } });
    });

    it('of APPS take numbers as they are written, lists as lines, and an empty fn_name as none', () => {
        const held = '{"fn_name": "", "inputs": [1.0, ["a", 9007199254740993]], "outputs": ["x", 2]}';
        for (const text of [`{"input_output": ${held}}`, `{"input_output": ${JSON.stringify(held)}}`]) {
            expect(readRowTests(taskOf(text))).toMatchObject({
                tests: [
                    { input: '1.0', output: 'x' },
                    { input: 'a\n9007199254740993', output: '2' },
                ],
            });
        }
        expect(read({ input_output: { fn_name: 'f', inputs: ['1'], outputs: ['2'] } })).toMatchObject({
            problem: expect.stringContaining('call a function'),
        });
        const limits = { time_limit: '2.0 seconds', memory_limit: '256.0 megabytes' };
        expect(read({ ...limits, input_output: { inputs: ['1'], outputs: ['2'] } })).toMatchObject({
            time: 2,
            memory: 256 * 1024 * 1024,
        });
    });

    it('of LiveCodeBench include the private ones, packed or not, and are not functions', () => {
        const test = (input: string) => ({ input, output: 'o', testtype: 'stdin' });
        for (const hidden of [[test('2')], JSON.stringify([test('2')]), pack([test('2')])]) {
            expect(
                read({ public_test_cases: JSON.stringify([test('1')]), private_test_cases: hidden }),
            ).toMatchObject({
                tests: [
                    { name: 'public-1', input: '1' },
                    { name: 'private-1', input: '2' },
                ],
            });
        }
        const functional = [{ input: '1', output: '2', testtype: 'functional' }];
        const named = { public_test_cases: [test('1')], metadata: '{"func_name": "f"}' };
        for (const row of [{ public_test_cases: functional }, named])
            expect(read(row)).toMatchObject({ problem: expect.stringContaining('call a function') });
        const hostile = deflateSync(Buffer.from('cos\nsystem\n(S"true"\ntR.')).toString('base64');
        expect(read({ public_test_cases: [test('1')], private_test_cases: hostile })).toMatchObject({
            problem: expect.stringContaining('never unpickled'),
        });
    });
});
