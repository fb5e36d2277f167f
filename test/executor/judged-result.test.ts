import { describe, expect, it } from 'vitest';
import { compileErrorResult, type ProgramRun, testResult } from '../../src/executor/judged-result.js';

const OPTIONS = { allTests: false, keepOutput: 'failed', outputLimit: 8 } as const;

const run = (over: Partial<ProgramRun> = {}): ProgramRun => ({
    verdict: null,
    doubt: 'certain',
    nearLimit: false,
    cpuTime: 0.1,
    wallTime: 0.2,
    memory: 1024,
    returnCode: 0,
    signal: null,
    stdout: Buffer.from('3\n'),
    stderr: '',
    ...over,
});

describe('what is kept of a judged program', () => {
    it('cuts a compiler message in bytes, not inside a character, and marks it', () => {
        const refused = { status: 'Error', execution_time: 1, return_code: 1, stdout: '' } as const;
        const result = compileErrorResult({ ...refused, stderr: 'aéééé error' }, OPTIONS);
        expect(result.tests[0]?.exec_info.compile_result).toEqual({
            ...refused,
            stderr: 'aééé',
            stderr_cut: 15,
        });
    });

    it('keeps the size of what a compiler printed where it was cut before', () => {
        const refused = { status: 'Error', execution_time: 1, return_code: 1, stdout: '' } as const;
        const result = compileErrorResult({ ...refused, stderr: 'long message', stderr_cut: 900 }, OPTIONS);
        expect(result.tests[0]?.exec_info.compile_result).toMatchObject({
            stderr: 'long mes',
            stderr_cut: 900,
        });
    });

    it('cuts output and the checker message alike', () => {
        const comparison = { accepted: false, message: 'expected 日本語' };
        const test = { name: 't', run: run({ stdout: Buffer.from('日本語') }), comparison, truncated: false };
        expect(testResult(test, OPTIONS).exec_info).toEqual({
            status: 'Success',
            compile_result: null,
            run_result: {
                status: 'Finished',
                execution_time: 0.2,
                return_code: 0,
                stdout: '日本',
                stderr: '',
                stdout_cut: 9,
            },
            checker_message: 'expected',
            checker_message_cut: 18,
        });
    });

    it('leaves output out, unmarked, where none is wanted', () => {
        const comparison = { accepted: false, message: null };
        const test = { name: 't', run: run(), comparison, truncated: false };
        const { run_result: kept } = testResult(test, { ...OPTIONS, keepOutput: 'none' }).exec_info;
        expect(kept).not.toHaveProperty('stdout');
        expect(kept).not.toHaveProperty('stderr');
        expect(kept).not.toHaveProperty('stdout_cut');
    });

    it.each([
        [null, 'Finished'],
        ['TimeLimitExceeded', 'TimeLimitExceeded'],
        ['OutputLimitExceeded', 'Error'],
    ] as const)('says of a run with the verdict %s that it is %s', (verdict, status) => {
        const comparison = { accepted: false, message: null };
        const test = { name: 't', run: run({ verdict }), comparison, truncated: false };
        expect(testResult(test, OPTIONS).exec_info.run_result?.status).toBe(status);
    });
});
