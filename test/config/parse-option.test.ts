import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOption, parseOption } from '../../src/config/parse-option.js';
import { RUN_OPTION_NAMES, RUN_OPTIONS, type RunOptionName } from '../../src/config/run-options.js';
import type { Json } from '../../src/model/json.js';
import type { Checker } from '../../src/model/sample.js';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';

const parse = (name: RunOptionName, raw: Json): unknown =>
    parseOption(RUN_OPTIONS[name], raw, { label: `--${name}`, base: '/base' });

const builtIn = (text: string, checker: Checker): unknown => ({ kind: 'built-in', text, checker });

describe('values', () => {
    const accepted: readonly (readonly [RunOptionName, Json, unknown])[] = [
        ['timeout', '1000', 1000],
        ['timeout', '1.5', 1.5],
        ['timeout', '.5', 0.5],
        ['timeout', 1.5, 1.5],
        ['memory-limit', '512', 512],
        ['concurrency', '8', 8],
        ['dir', 'out', '/base/out'],
        ['dir', 'default', '/base/results'],
        ['shard', '3/4', { index: 3, count: 4 }],
        ['rerun', ['tle', 'p/*'], ['tle', { glob: 'p/*' }]],
        ['rerun', 'over-limit', ['over-limit']],
        ['module', 'a/b.mjs', { file: '/base/a/b.mjs', exportName: null }],
        ['module', 'a/b.mjs#run', { file: '/base/a/b.mjs', exportName: 'run' }],
        ['checker', 'float:1e-6', builtIn('float:1e-6', { kind: 'float', absolute: 1e-6, relative: null })],
        [
            'checker',
            'float:0.1,1e-9',
            builtIn('float:0.1,1e-9', { kind: 'float', absolute: 0.1, relative: 1e-9 }),
        ],
        ['checker', 'format', { kind: 'format' }],
        [
            'checker',
            'kattis:case_sensitive float_tolerance 1e-6',
            builtIn('kattis:case_sensitive float_tolerance 1e-6', {
                kind: 'kattis',
                flags: ['case_sensitive', 'float_tolerance', '1e-6'],
            }),
        ],
        ['checker', 'check.cpp', { kind: 'program', path: '/base/check.cpp' }],
        ['include-dir', 'inc', ['/base/inc']],
        ['only', ['a*', 'b'], ['a*', 'b']],
        ['exit-verdict', '3=timelimitexceeded', [{ code: 3, verdict: 'TimeLimitExceeded' }]],
        ['json', 'yes', true],
        [
            'endpoint',
            'http://h{1..2}:80{80,81}/',
            [
                {
                    url: 'http://h{1..2}:80{80,81}/',
                    addresses: ['http://h1:8080', 'http://h1:8081', 'http://h2:8080', 'http://h2:8081'],
                },
            ],
        ],
        ['endpoint', 'http://u:{env:P}@h{1..2}/', [{ url: 'http://u:{env:P}@h{1..2}/' }]],
        ['command', ['a', ''], ['a', '']],
    ];
    it.each(accepted)('--%s %j is %j', (name, raw, value) => {
        expect(parse(name, raw)).toEqual(value);
    });

    const refused: readonly (readonly [RunOptionName, Json, RegExp])[] = [
        ['timeout', '', /seconds.*got nothing/],
        ['timeout', '20s', /seconds.*'20s'/],
        ['timeout', '-1', /seconds/],
        ['timeout', '0', /at least 0\.001/],
        ['timeout', '1e3', /seconds/],
        ['timeout', 'Infinity', /seconds/],
        ['timeout', '99999999', /at most/],
        ['concurrency', '1.5', /whole number/],
        ['concurrency', 1.5, /whole number/],
        ['concurrency', '0', /at least 1/],
        ['shard', '0/4', /1\/4/],
        ['shard', '5/4', /1\/4/],
        ['shard', '1', /1\/4/],
        ['shard', 'a/b', /1\/4/],
        ['shard', '-1/2', /1\/4/],
        ['shard', '1/2/3', /1\/4/],
        ['executor', 'exce', /did you mean exec\?/],
        ['checker', 'float', /expected format, tokens.*got 'float'/],
        ['checker', 'float:x', /expected format, tokens/],
        ['checker', 'linse', /expected format, tokens/],
        ['checker', 'lines:1', /expected format, tokens/],
        ['exit-verdict', '0=WrongAnswer', /always Accepted/],
        ['exit-verdict', '256=WrongAnswer', /code=Verdict/],
        ['exit-verdict', '3=Nope', /one of the verdicts/],
        ['endpoint', 'ftp://x', /http:\/\//],
        ['endpoint', 'http://h:{9..8}', /the range \{9\.\.8\} runs backwards/],
        ['endpoint', 'http://u:secret@h:1/', /must not hold a user name/],
        ['dir', 'a\0b', /NUL/],
        ['command', [], /the command and its arguments/],
        ['json', 'maybe', /true or false/],
    ];
    it.each(refused)('--%s %j is refused', (name, raw, message) => {
        expect(() => parse(name, raw)).toThrow(message);
    });

    it('never show a password', () => {
        for (const text of ['http://u:sesame@h', 'u:sesame@h', 'https://sesame@h/x']) {
            try {
                parse('endpoint', text);
                expect.unreachable();
            } catch (error) {
                expect(String(error)).not.toContain('sesame');
            }
        }
    });

    it('are either read or refused in one line that names the place, whatever they are; what is kept of one is read again the same', () => {
        fc.assert(
            fc.property(fc.constantFrom(...RUN_OPTION_NAMES), fc.jsonValue(), (name, raw) => {
                let value: unknown;
                try {
                    value = parse(name, raw as Json);
                } catch (error) {
                    expect(error).toBeInstanceOf(UserError);
                    expect((error as Error).message).toMatch(new RegExp(`^--${name}\\b`));
                    return;
                }
                const kept = JSON.parse(JSON.stringify(formatOption(RUN_OPTIONS[name], value))) as Json;
                expect(parse(name, kept)).toEqual(value);
            }),
            { numRuns: runs(2000) },
        );
    });
});
