import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKnownLanguage, readUnknownName, toLanguageTag } from '../../src/dataset/language-tags.js';
import { buildLanguageTable } from '../../src/executor/judge/languages.js';

describe('names of languages', () => {
    it.each([
        ['CPP', 'GNU C++', 'GNU C++0x', 'GNU C++17', 'GNU C++20 (64)', 'GNU C++23 14 (64bit, msys2)'],
        [
            'CPP',
            'MS C++ 2017',
            'Clang++17 Diagnostics',
            'C++17 (GCC 7-32)',
            'GNU G++17 7.3.0',
            'C++14 (GCC 5.4.1)',
        ],
        ['CPP', 'cpp', 'c++', 'CPP', 'C++ (Clang 10.0.0)', 'Microsoft Visual C++ 2010'],
        ['C', 'GNU C', 'GNU C11', 'GNU GCC C11 5.1.0', 'C (GCC 9.2.1)', 'c'],
        [
            'PYTHON3',
            'Python 3',
            'Python 3.8.10',
            'Python3 (3.4.3)',
            'Python (3.8.2)',
            'py3',
            'PYTHON3',
            'CPython 3.11',
        ],
        ['PYTHON3', 'PyPy 3', 'PyPy 3-64', 'PyPy3 (7.3.0)', 'pypy3-64'],
        ['PYTHON', 'Python 2', 'Python 2.7.18', 'PyPy 2', 'PyPy2 (5.6.0)', 'py2'],
        ['JAVA', 'Java 8', 'Java 11', 'Java 21 64bit', 'Java8 (OpenJDK 1.8.0)', 'java'],
        ['JAVASCRIPT', 'Node.js', 'JavaScript', 'Node.js 15.8.0 (64bit)', 'JavaScript V8 4.8.0'],
        ['CSHARP', 'Mono C#', 'MS C#', '.NET Core C#', 'C# 8'],
        ['RUST', 'Rust', 'Rust 2021', 'Rust (1.42.0)'],
        ['KOTLIN', 'Kotlin 1.7', 'Kotlin'],
        ['GO', 'Go', 'Go 1.22.2', 'Go (1.14.1)'],
    ])('%s has the names of Codeforces, AtCoder and others', (tag, ...names) => {
        expect(names.map(toLanguageTag)).toEqual(names.map(() => tag));
    });

    it.each(['Brainfuck', 'Objective C', 'C--', 'Delphi 7', 'PascalABC.NET', 'Python 5', 'GNU', '', '(3)'])(
        'leaves %j to be an unknown name',
        (name) => {
            expect(toLanguageTag(name)).toBe(name.toUpperCase());
            expect(isKnownLanguage(toLanguageTag(name))).toBe(false);
            expect(readUnknownName(` ${name}`, toLanguageTag(name))).toEqual({ unknownName: name });
        },
    );

    it('take every tag for itself, and know every row of the language table', () => {
        for (const tag of buildLanguageTable({ overrides: {}, python2As3: false }).keys()) {
            // Requested by files of problem packages, never by a language name in a dataset.
            if (tag === 'PYPY3' || tag === 'SCRIPTED') continue;
            expect([tag, isKnownLanguage(tag)]).toEqual([tag, true]);
            if (tag !== 'PYTHON') expect(toLanguageTag(tag)).toBe(tag);
        }
    });

    it('of any kind give the same tag in any case and with space around', () => {
        fc.assert(
            fc.property(fc.string(), (name) => {
                expect(toLanguageTag(` ${name.toUpperCase().toLowerCase()} `)).toBe(
                    toLanguageTag(name.toUpperCase().toLowerCase()),
                );
            }),
        );
    });
});
