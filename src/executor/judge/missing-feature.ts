import type { MissingImport } from './missing-import.js';

/** A language feature that is newer than some compilers in distributions. */
interface LanguageFeature {
    readonly name: string;
    /** Matches source text from which comments and string literals have been removed. */
    readonly sign: RegExp;
    /** The smallest program that uses it. */
    readonly probe: string;
}

/**
 * Newest first: a compiler that supports one also supports those below it. Mono's compiler ends at C# 7, and distributions ship
 * Kotlin 1.3. Sources: the version histories of C# (learn.microsoft.com) and Kotlin (kotlinlang.org).
 */
const FEATURES: Readonly<Record<string, readonly LanguageFeature[]>> = {
    CSHARP: [
        {
            name: 'collection expressions (C# 12)',
            sign: /[^=!<>]=\s*\[[^\]]*\]\s*;/,
            probe: 'class P { static void Main() { int[] a = [1]; } }',
        },
        {
            name: 'global usings (C# 10)',
            sign: /^\s*global\s+using\b/m,
            probe: 'global using System;\nclass P { static void Main() { } }',
        },
        {
            name: 'file-scoped namespaces (C# 10)',
            sign: /^\s*namespace\s+[\w.]+\s*;/m,
            probe: 'namespace A;\nclass P { static void Main() { } }',
        },
        {
            name: 'records (C# 9)',
            sign: /\brecord\s+(?:struct\s+|class\s+)?\w+\s*[({:]/,
            probe: 'record R { }\nclass P { static void Main() { } }',
        },
        {
            name: 'types left out after new (C# 9)',
            sign: /(?:[=(,]|\breturn)\s*new\s*\(/,
            probe: 'class P { static void Main() { P p = new(); } }',
        },
        {
            name: 'statements outside of classes (C# 9)',
            sign: /^(?![^]*\bMain\s*\()[^]*\bConsole\s*\./,
            probe: 'System.Console.Write(1);',
        },
        {
            name: 'switch expressions (C# 8)',
            sign: /[\w)\]]\s+switch\s*\{/,
            probe: 'class P { static void Main() { int a = 1 switch { 1 => 2, _ => 3 }; } }',
        },
        {
            name: 'using declarations (C# 8)',
            sign: /^\s*using\s+(?:var|[A-Z]\w*)\s+\w+\s*=/m,
            probe: 'class P { static void Main() { using var a = new System.IO.StringReader(""); } }',
        },
        {
            name: 'ranges (C# 8)',
            sign: /\[\s*\^|\[[^\]\n]*\.\.[^\]\n]*\]/,
            probe: 'class P { static void Main() { int a = new int[1][^1]; } }',
        },
        {
            name: 'nullable reference types (C# 8)',
            sign: /\bstring\s*(?:\[\]\s*)?\?|\w\)?!\s*[.;,)[]/,
            probe: 'class P { static void Main() { string? a = null; } }',
        },
    ],
    KOTLIN: [
        {
            name: 'the operator ..< (Kotlin 1.9)',
            sign: /\.\.</,
            probe: 'fun main() { for (i in 0..<1) println(i) }\n',
        },
        { name: 'readln (Kotlin 1.6)', sign: /\breadln(?:OrNull)?\s*\(/, probe: 'fun main() { readln() }\n' },
        {
            name: 'sumOf, maxOf and minOf (Kotlin 1.4)',
            sign: /\.(?:sumOf|maxOf|minOf|maxOrNull|minOrNull|maxByOrNull|minByOrNull)\b/,
            probe: 'fun main() { println(listOf(1).sumOf { it }) }\n',
        },
    ],
};

/** Comments and string literals reveal nothing about a language's version. */
const COMMENTS_AND_TEXTS = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"/g;

/** The newest feature in the sources of a program that older compilers of its language do not support; null: none. */
export function findNewestFeature(tag: string, sources: readonly string[]): MissingImport | null {
    const texts = sources.map((source) => source.replace(COMMENTS_AND_TEXTS, '""'));
    const found = FEATURES[tag]?.find(({ sign }) => texts.some((text) => sign.test(text)));
    return found === undefined ? null : { what: 'feature', name: found.name };
}

/** A program that does not compile if the feature is not supported. */
export function featureProbe(tag: string, name: string): string {
    return FEATURES[tag]?.find((each) => each.name === name)?.probe ?? '';
}
