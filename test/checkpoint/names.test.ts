import { assert, constantFrom, oneof, property, string, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    makeEarlierName,
    FileNames,
    makeHashedName,
    makePlainName,
} from '../../src/checkpoint/result-file/names.js';
import { runs } from '../rig/long.js';

/** Ids that are likely to collide, to be unsafe, or to be too long. */
const id = oneof(
    string({ unit: 'binary', maxLength: 30 }),
    string({
        unit: constantFrom('a', 'A', '/', '_', '.', '%', '-', ' ', 'é', 'e\u0301', 'İ', '\0'),
        maxLength: 6,
    }),
    string({ unit: 'grapheme', minLength: 100, maxLength: 300 }),
    constantFrom(
        '..',
        '.',
        '/',
        '/etc/passwd',
        '../../x',
        'CON',
        'nul.txt',
        'com1',
        'a\\b',
        'C:x',
        '~root',
        '-rf',
        '',
    ),
);

describe('file names', () => {
    it('are as before for ordinary ids', () => {
        expect(makePlainName('Codeforces/1575/A')).toBe('Codeforces_1575_A.json');
        expect(makePlainName('two words, é (1)')).toBe('two%20words,%20é%20%281%29.json');
    });

    it('never leave the directory, are never hidden, and fit every file system', () => {
        assert(
            property(id, (value) => {
                for (const name of [makePlainName(value), makeHashedName(value)]) {
                    expect(name).toMatch(/\.json$/);
                    expect(name).not.toMatch(/[\p{Cc}\p{Cs}\p{Z}/\\:*?"<>|'`$&;()[\]{}!#~^]/u);
                    expect(name).not.toMatch(/^[.~\- ]/);
                    expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./i);
                    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
                    expect(Buffer.from(name).toString()).toBe(name);
                }
            }),
            { numRuns: runs(1000) },
        );
    });

    it('are never shared, on a case-insensitive file system neither', () => {
        assert(
            property(uniqueArray(id, { maxLength: 40 }), (ids) => {
                const names = new FileNames(ids);
                const keys = ids.map((value) =>
                    names.getFile(value).normalize('NFC').toLowerCase().normalize('NFC'),
                );
                expect(new Set(keys).size).toBe(ids.length);
                for (const value of ids) expect([...names.candidates(value)]).toContain(names.getFile(value));
            }),
            { numRuns: runs(1000) },
        );
    });

    it('give every id of a colliding set a hash, and leave the others alone', () => {
        const names = new FileNames(['a/b', 'a_b', 'A_B', 'c/d']);
        expect(names.getFile('a/b')).toMatch(/^a_b-[0-9a-f]{16}\.json$/);
        expect(names.getFile('A_B')).toMatch(/^A_B-[0-9a-f]{16}\.json$/);
        expect(names.getFile('c/d')).toBe('c_d.json');
        expect([...names.candidates('a_b')]).toEqual([makeHashedName('a_b'), 'a_b.json']);
    });

    it('also for an id that is made to look like another one with its hash', () => {
        const impostor = makeHashedName('a/b').slice(0, -'.json'.length);
        const names = new FileNames(['a/b', 'a_b', impostor]);
        expect(names.getFile(impostor)).not.toBe(names.getFile('a/b'));
    });

    it('keep being found under the names that version 0.1 gave them', () => {
        const names = new FileNames(["it's (1)"]);
        expect([...names.candidates("it's (1)")]).toEqual([
            'it%27s%20%281%29.json',
            makeHashedName("it's (1)"),
            "it's (1).json",
            expect.stringMatching(/^it's \(1\)-[0-9a-f]{16}\.json$/),
        ]);
    });

    it('look for the name of the earlier tools too', () => {
        expect(makeEarlierName('a/b:c')).toBe('a_b:c.json');
        expect([...new FileNames(['a/b:c']).candidates('a/b:c')]).toEqual([
            'a_b%3Ac.json',
            makeHashedName('a/b:c'),
            'a_b:c.json',
        ]);
        expect(makeEarlierName('a\0b')).toBeNull();
    });
});
