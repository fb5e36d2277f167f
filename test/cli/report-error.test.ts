import { expect, it } from 'vitest';
import { BUG, explainError } from '../../src/cli/report-error.js';
import { WriteError } from '../../src/host/write-error.js';
import { UserError } from '../../src/util/user-error.js';

it('what the user can mend is one line without a stack', () => {
    expect(explainError(new UserError('no such\nfile'), false)).toEqual({
        text: 'resume-run: no such file\n',
        code: 2,
    });
    expect(explainError(new UserError('held', 3), false).code).toBe(3);
});

it('a checkpoint that could not be written is exit 4', () => {
    const { text, code } = explainError(new WriteError('/r/a.json', 'disk full'), false);
    expect([text, code]).toEqual(['resume-run: cannot write /r/a.json: disk full\n', 4]);
});

it('a disk that fails under an open file is exit 4, too, and no bug of ours', () => {
    const failed = (code: string, syscall: string): Error =>
        Object.assign(new Error(`${code}: some error, ${syscall}`), { code, syscall, errno: -5 });
    const { text, code } = explainError(failed('EIO', 'close'), false);
    expect(code).toBe(4);
    expect(text).toMatch(/^resume-run: cannot close a file: [^\n]+\n$/);
    expect(explainError(failed('ENOSPC', 'write'), false).code).toBe(4);
    expect(explainError(failed('EBADF', 'close'), false).code).toBe(BUG);
});

it('anything else is a bug of ours: its stack, and how to report it', () => {
    for (const thrown of [new TypeError('x is not a function'), 'text', undefined]) {
        const { text, code } = explainError(thrown, false);
        expect(code).toBe(BUG);
        expect(text).toContain('this is a bug in resume-run');
    }
    expect(explainError(new TypeError('x'), false).text).toContain('report-error.test');
});

it('what a bug quotes does not steer the terminal', () => {
    const { text } = explainError(new TypeError('\u001b[2J\u202e in\n\u009b31m'), false);
    expect(text).toContain('TypeError: \\x1b[2J\\u202e in\n\\x9b31m\n    at ');
    expect(explainError(new TypeError('\u009b31m'), true).text).toContain('"\\u009b31m"');
});

it('programs get an object', () => {
    const { text } = explainError(new UserError('held', 3), true);
    const held = { type: 'error', message: 'held', exitCode: 3, code: 'RESUME_RUN_DIRECTORY_HELD' };
    expect(JSON.parse(text)).toEqual(held);
    const codes = [new UserError('x'), new WriteError('/r/a.json', 'disk full'), new TypeError('x')].map(
        (error) => JSON.parse(explainError(error, true).text).code,
    );
    expect(codes).toEqual(['RESUME_RUN_INVALID_INPUT', 'RESUME_RUN_CANNOT_WRITE', 'RESUME_RUN_BUG']);
});
