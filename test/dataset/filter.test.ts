import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSamples, makeIdMatcher, type SampleChoice, chooseShard } from '../../src/dataset/filter.js';
import { UserError } from '../../src/util/user-error.js';

const idOf = ({ id }: { readonly id: string }): string => id;

function chosen(ids: readonly string[], choice: Partial<SampleChoice>): string[] {
    const samples = ids.map((id) => ({ id }));
    const all: SampleChoice = { only: null, limit: null, shard: null };
    return Array.from(chooseSamples(samples, idOf, { ...all, ...choice }), idOf);
}

describe('the choice of samples', () => {
    it('takes ids by glob or by their own text', () => {
        const matches = (pattern: string, id: string): boolean => makeIdMatcher([pattern])(id);
        expect(matches('Codeforces/*/A', 'Codeforces/1575/A')).toBe(true);
        expect(matches('Codeforces/*', 'Codeforces/1575/A')).toBe(false);
        expect(matches('Codeforces/**', 'Codeforces/1575/A')).toBe(true);
        expect(matches('a[1]', 'a[1]')).toBe(true);
        expect(makeIdMatcher(null)('anything')).toBe(true);
        expect(makeIdMatcher(['a', 'b*'])('bc')).toBe(true);
        expect(() => makeIdMatcher([''])).toThrow(UserError);
    });

    it('leaves out what a pattern after ! matches, and takes escaped signs literally', () => {
        const ids = ['a1', 'a2', 'b1', '!neg', '**'];
        const only = (...patterns: string[]): string[] => chosen(ids, { only: patterns });
        expect(only('!a*')).toEqual(['b1', '!neg', '**']);
        expect(only('a*', '!a2')).toEqual(['a1']);
        expect(only('!a*', '!b1')).toEqual(['!neg', '**']);
        expect(only('\\!neg')).toEqual(['!neg']);
        expect(only('\\*\\*')).toEqual(['**']);
        expect(only('**')).toEqual(ids);
        expect(() => only('!')).toThrow(UserError);
    });

    it('counts the limit after the rest, and reads no further', () => {
        let read = 0;
        function* counted(): Iterable<{ id: string }> {
            for (const id of ['a1', 'b1', 'a2', 'a3']) {
                read += 1;
                yield { id };
            }
        }
        const found: string[] = [];
        for (const { id } of chooseSamples(counted(), idOf, { only: ['a*'], limit: 2, shard: null }))
            found.push(id);
        expect(found).toEqual(['a1', 'a2']);
        expect(read).toBe(3);
        expect(chosen(['a'], { limit: 0 })).toEqual([]);
    });

    it('gives each sample to exactly one shard, whatever else there is', () => {
        fc.assert(
            fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 9 }), (ids, count) => {
                const parts: string[] = [];
                for (let index = 1; index <= count; index += 1) {
                    const part = chosen(ids, { shard: { index, count } });
                    for (const id of part) expect(chooseShard(id, count)).toBe(index);
                    parts.push(...part);
                }
                expect(parts.sort()).toEqual([...ids].sort());
            }),
        );
    });
});
