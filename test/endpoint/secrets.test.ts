import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readToken } from '../../src/endpoint/secrets.js';
import { UserError } from '../../src/util/user-error.js';

describe('readToken', () => {
    it('reads the environment and files, without white space around', async () => {
        const file = join(await mkdtemp(join(tmpdir(), 'rig-token-')), 'token');
        await writeFile(file, ' abc-123\n');
        expect(readToken({ file })).toBe('abc-123');
        expect(readToken({ env: 'T' }, { T: 'xyz ' })).toBe('xyz');
    });

    it('names the place and never the content', async () => {
        const file = join(await mkdtemp(join(tmpdir(), 'rig-token-')), 'token');
        expect(() => readToken({ file })).toThrow(
            new UserError(`token: cannot read the file ${file}: there is no such file or folder`),
        );
        await writeFile(file, 'two words');
        expect(() => readToken({ file })).toThrow(
            /^(?!.*two words)token: the file .* printable ASCII characters$/,
        );
        await writeFile(file, '\n');
        expect(() => readToken({ file })).toThrow('is empty');
        expect(() => readToken({ env: 'T' }, {})).toThrow('token: the environment variable T is not set');
        expect(() => readToken({ env: 'T' }, { T: 'a\nb' })).toThrow(UserError);
    });
});
