import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseChecker } from '../../src/compose/checker.js';
import { CHECKER } from '../../src/config/values/checker.js';
import { UserError } from '../../src/util/user-error.js';

/** Chooses like `--checker` on the command line. */
const choose = async (text: string) =>
    chooseChecker(CHECKER.parse(text, { label: '--checker', base: tmpdir() }));

describe('--checker', () => {
    test.each([
        ['tokens', { kind: 'tokens' }],
        ['judge0', { kind: 'judge0' }],
        ['float:1e-6', { kind: 'float', absolute: 1e-6, relative: null }],
        ['float:1e-6,0.5', { kind: 'float', absolute: 1e-6, relative: 0.5 }],
        ['kattis', { kind: 'kattis', flags: [] }],
        [
            'kattis:case_sensitive float_tolerance 1e-6',
            { kind: 'kattis', flags: ['case_sensitive', 'float_tolerance', '1e-6'] },
        ],
    ])('%s', async (text, expected) => {
        expect(await choose(text)).toEqual(expected);
    });

    test.each([
        ['kattis:float_tolerance', /must be followed by a number/],
        ['kattis:wrong', /unknown flag "wrong"/],
        ['/no/such/checker.cpp', /cannot read it/],
    ])('refuses %j', async (text, message) => {
        await expect(choose(text)).rejects.toThrow(UserError);
        await expect(choose(text)).rejects.toThrow(message);
    });

    test('a program by its path', async () => {
        const dir = mkdtempSync(join(tmpdir(), 'checker-'));
        try {
            const path = join(dir, 'output_validator.cpp');
            writeFileSync(path, 'int main() {}\n');
            expect(await choose(path)).toMatchObject({
                kind: 'program',
                convention: 'kattis',
                files: [{ name: 'output_validator.cpp', content: { path } }],
            });
        } finally {
            rmSync(dir, { recursive: true });
        }
    });
});
