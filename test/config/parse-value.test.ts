import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPTION_NAMES, OPTIONS, type OptionName } from '../../src/config/options.js';
import { parseOption } from '../../src/config/parse-value.js';
import type { Json } from '../../src/model/json.js';
import { UserError } from '../../src/util/user-error.js';

const parse = (name: OptionName, raw: Json): Json =>
    parseOption(OPTIONS[name], raw, { label: `--${name}`, base: '/base' });

describe('values', () => {
    const accepted: readonly (readonly [OptionName, Json, Json])[] = [
        ['timeout', '1000', 1000],
        ['timeout', '1.5', 1.5],
        ['timeout', '.5', 0.5],
        ['timeout', 1.5, 1.5],
        ['memory-limit', '512', 512],
        ['concurrency', '8', 8],
        ['dir', 'out', '/base/out'],
        ['dir', 'default', '/base/results'],
        ['shard', '3/4', '3/4'],
        ['module', 'a/b.mjs', '/base/a/b.mjs'],
        ['module', 'a/b.mjs#run', '/base/a/b.mjs#run'],
        ['checker', 'float:1e-6', 'float:1e-6'],
        ['checker', 'float:0.1,1e-9', 'float:0.1,1e-9'],
        [
            'checker',
            'kattis:case_sensitive float_tolerance 1e-6',
            'kattis:case_sensitive float_tolerance 1e-6',
        ],
        ['checker', 'check.cpp', '/base/check.cpp'],
        ['include-dir', 'inc', ['/base/inc']],
        ['only', ['a*', 'b'], ['a*', 'b']],
        ['exit-verdict', '3=timelimitexceeded', ['3=TimeLimitExceeded']],
        ['json', 'yes', true],
        ['endpoint', 'http://10.0.0.{1..4}:{8080..8207}/', ['http://10.0.0.{1..4}:{8080..8207}/']],
        ['command', ['a', ''], ['a', '']],
    ];
    it.each(accepted)('--%s %j is %j', (name, raw, value) => {
        expect(parse(name, raw)).toEqual(value);
    });

    const refused: readonly (readonly [OptionName, Json, RegExp])[] = [
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
        ['executor', 'exce', /did you mean exec\?/],
        ['checker', 'float', /expected format, tokens.*got 'float'/],
        ['checker', 'float:x', /expected format, tokens/],
        ['checker', 'linse', /expected format, tokens/],
        ['checker', 'lines:1', /expected format, tokens/],
        ['exit-verdict', '0=WrongAnswer', /always Accepted/],
        ['exit-verdict', '256=WrongAnswer', /code=Verdict/],
        ['exit-verdict', '3=Nope', /one of the verdicts/],
        ['endpoint', 'ftp://x', /http:\/\//],
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

    it('are either read or refused in one line that names the place, whatever they are; what is read is read again the same', () => {
        fc.assert(
            fc.property(fc.constantFrom(...OPTION_NAMES), fc.jsonValue(), (name, raw) => {
                let value: Json;
                try {
                    value = parse(name, raw as Json);
                } catch (error) {
                    expect(error).toBeInstanceOf(UserError);
                    expect((error as Error).message).toMatch(new RegExp(`^--${name}\\b`));
                    return;
                }
                expect(parse(name, value)).toEqual(value);
            }),
            { numRuns: 2000 },
        );
    });
});
