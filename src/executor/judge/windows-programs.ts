import { readFile } from 'node:fs/promises';
import { makeTextContent } from '../../model/fingerprint.js';
import type { SourceFile } from '../../model/sample.js';
import { WINDOWS_FUNCTIONS, WINDOWS_HEADERS, WINDOWS_WORDS } from './windows-headers.js';

/*
 * C and C++ programs written for judges on Windows compile here, and print the same output, once a few things are replaced. This
 * is done in the source text, so that it works in every executor. Fingerprints use the text as given in the dataset. Changes are
 * recorded in the program's entry (`adapted`).
 */

/** A change made to a program, as named in entries. */
export type Adaptation =
    /** `%I64d` became `%lld`. */
    | 'i64-format'
    /** `10i64` became `10LL`. */
    | 'i64-literal'
    /** `__int64` and other keywords of Windows compilers were defined. */
    | 'windows-words'
    /** A Windows header was replaced. */
    | 'windows-headers'
    /** `<bits\stdc++.h>` and `<Algorithm>` were changed to their names here. */
    | 'include-names'
    /** `itoa`, `strrev` and the like were added. */
    | 'windows-functions'
    /** `void main` is called by a `main` that returns 0. */
    | 'void-main';

export interface AdaptedFiles {
    readonly files: readonly [SourceFile, ...SourceFile[]];
    /** Sorted; empty if nothing was changed. */
    readonly adapted: readonly Adaptation[];
}

/** A submission's files in a form that compiles here. @param tag language tag; only C and C++ files are changed */
export async function adaptFiles(
    files: readonly [SourceFile, ...SourceFile[]],
    tag: string,
): Promise<AdaptedFiles> {
    if (tag !== 'CPP' && tag !== 'C') return { files, adapted: [] };
    const adapted = new Set<Adaptation>();
    const own = new Set(files.map(({ name }) => baseName(name)));
    const [first, ...others] = await Promise.all(files.map((file) => adaptFile(file, own, adapted)));
    if (first === undefined || adapted.size === 0) return { files, adapted: [] };
    return { files: [first, ...others], adapted: [...adapted].sort() };
}

async function adaptFile(
    file: SourceFile,
    own: ReadonlySet<string>,
    adapted: Set<Adaptation>,
): Promise<SourceFile> {
    const { content } = file;
    const text = content.text ?? decode(await readFile(content.path));
    const { text: changed, adapted: done } = adaptText(text, own);
    if (done.length === 0) return file;
    for (const one of done) adapted.add(one);
    return { ...file, content: makeTextContent(changed) };
}

const baseName = (name: string): string => name.replace(/^.*[\\/]/, '').toLowerCase();

/** Comments in Windows code pages are not UTF-8; their characters need not be preserved. */
function decode(bytes: Buffer): string {
    const text = bytes.toString('utf8');
    return text.includes('\uFFFD') ? bytes.toString('latin1') : text;
}

interface Edit {
    readonly start: number;
    readonly end: number;
    readonly text: string;
}

/** Bounds the cost of a hostile source; real programs are far shorter. */
const MAX_SOURCE_LENGTH = 4 * 1024 * 1024;

/**
 * A source in a form that compiles here, and what was changed in it; the same text if nothing was.
 * @param own names of the submission's own headers, in lower case and without folders, which are kept
 */
export function adaptText(
    source: string,
    own: ReadonlySet<string> = new Set(),
): { readonly text: string; readonly adapted: readonly Adaptation[] } {
    if (source.length > MAX_SOURCE_LENGTH || !mayBeForWindows(source)) return { text: source, adapted: [] };
    const adapted = new Set<Adaptation>();
    const { code, words, edits } = readSource(source, own, adapted);
    const prelude: string[] = [];
    for (const [word, definition] of Object.entries(WINDOWS_WORDS)) {
        if (!words.has(word) || defines(code, word)) continue;
        prelude.push(`${definition}\n`);
        adapted.add('windows-words');
    }
    prelude.push(...functionsFor(code, words, adapted));
    const ending = wrapMain(code, edits, adapted);
    if (adapted.size === 0) return { text: source, adapted: [] };
    const first = prelude.length === 0 ? '' : `${[...new Set(prelude)].join('')}#line 1\n`;
    return { text: first + applyEdits(source, edits) + ending, adapted: [...adapted].sort() };
}

/** Whether the source is worth reading word by word. */
function mayBeForWindows(source: string): boolean {
    return WINDOWS_INCLUDE.test(source) || WINDOWS_WORD.test(source);
}

const WINDOWS_INCLUDE =
    /#[ \t]*include[ \t]*[<"](?:[^>"\n]{0,200}[\\A-Z]|(?:conio|windows|win(?:def|base)|mmsystem|stdafx|targetver|sdkddkver|tchar|crtdbg|process|io|direct|intrin)\.h[>"])/;
const WINDOWS_WORD =
    /[Ii]64|\b__?int(?:8|16|32|64)\b|\b__(?:forceinline|cdecl|stdcall|fastcall)\b|\b_(?:tmain|TCHAR)\b|\bvoid\s+main\b|\b_?(?:itoa|ltoa|strrev|strlwr|strupr|stricmp)\b|\b(?:strcmpi|u?lltoa)\b/;

/**
 * The order ensures that text in comments and string literals is not mistaken for code. No alternative reads far and then fails.
 */
const TOKEN = new RegExp(
    [
        String.raw`(?<include>^[ \t]*#[ \t]*include[ \t]*[<"](?<header>[^>"\n]*)[>"])`,
        String.raw`//(?:[^\\\n]|\\[^])*`,
        String.raw`/\*(?:[^]*?\*/|[^]*$)`,
        String.raw`\bR"(?<mark>[^()\\\s"]{0,16})\((?:[^]*?\)\k<mark>"|[^]*$)`,
        String.raw`(?<text>"(?:[^"\\\n]|\\[^])*(?:"|\\?$))`,
        String.raw`'(?:[^'\\\n]|\\[^]){1,10}'`,
        String.raw`(?<number>\b\d[\w']*)`,
        String.raw`(?<word>[A-Za-z_]\w*)`,
    ].join('|'),
    'gm',
);

interface ReadSource {
    /** The source with its comments, string literals and includes replaced by blanks of the same length. */
    readonly code: string;
    readonly words: ReadonlySet<string>;
    readonly edits: Edit[];
}

function readSource(source: string, own: ReadonlySet<string>, adapted: Set<Adaptation>): ReadSource {
    const words = new Set<string>();
    const edits: Edit[] = [];
    let line = 1;
    let counted = 0;
    const replace = (start: number, end: number, text: string, why: Adaptation): void => {
        edits.push({ start, end, text });
        adapted.add(why);
    };
    const code = source.replace(TOKEN, (all: string, ...rest: unknown[]) => {
        const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
        const start = rest.at(-3) as number;
        const end = start + all.length;
        if (groups['word'] !== undefined) {
            words.add(all);
            return all;
        }
        if (groups['number'] !== undefined) {
            const literal = all.replace(/^(0x[\da-f]+|\d+?)(u?)i64$/i, '$1$2LL');
            if (literal !== all) replace(start, end, literal, 'i64-literal');
            return all;
        }
        if (groups['text'] !== undefined) {
            const text = withoutI64(all);
            if (text !== all) replace(start, end, text, 'i64-format');
        } else if (groups['header'] !== undefined) {
            for (; counted < start; counted += 1) if (source.charCodeAt(counted) === 10) line += 1;
            const header = groups['header'];
            const standIn = WINDOWS_HEADERS[header.toLowerCase()];
            if (own.has(baseName(header))) return all.replace(/[^\n]/g, ' ');
            if (standIn !== undefined) replace(start, end, inPlace(standIn, line), 'windows-headers');
            else if (includeName(header) !== header)
                replace(
                    start,
                    end,
                    all.replace(header, () => includeName(header)),
                    'include-names',
                );
        }
        return all.replace(/[^\n]/g, ' ');
    });
    return { code, words, edits };
}

/** Replaces `%I64d` by `%lld`, also in concatenated literals (`"%" I64`). */
function withoutI64(text: string): string {
    return text
        .replace(/%%|%([-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*)?)?)I64/g, (all: string, flags?: string) =>
            all === '%%' ? all : `%${flags ?? ''}ll`,
        )
        .replace(/^"I64([diouxX]?)"$/, '"ll$1"');
}

/** The replacement of a header; the lines after it keep their numbers. */
const inPlace = (text: string, line: number): string => (text === '' ? '' : `${text}#line ${line + 1}`);

/** Windows file systems ignore case and accept either slash. */
function includeName(name: string): string {
    const slashes = name.replaceAll('\\', '/');
    const lower = slashes.toLowerCase();
    return ANY_CASE.has(lower) ? lower : slashes;
}

const ANY_CASE: ReadonlySet<string> = new Set(
    (
        'algorithm bitset cmath cstdio cstdlib cstring ctime ctype.h deque fstream iomanip iostream limits list map math.h ' +
        'numeric queue set sstream stack stdio.h stdlib.h string string.h time.h utility vector bits/stdc++.h'
    ).split(' '),
);

/** Whether the program defines a word itself. */
function defines(code: string, word: string): boolean {
    return new RegExp(
        String.raw`#[ \t]*define[ \t]+${word}\b|\btypedef\b[^;{}]{0,300}\b${word}[ \t\n]*;|\busing\s+${word}\s*=`,
    ).test(code);
}

function functionsFor(code: string, words: ReadonlySet<string>, adapted: Set<Adaptation>): string[] {
    const texts: string[] = [];
    for (const { names, standIn, texts: needed } of WINDOWS_FUNCTIONS) {
        const used = names.filter((name) => words.has(name) && !declares(code, name) && !defines(code, name));
        if (used.length === 0) continue;
        texts.push(...needed, ...used.map((name) => `#define ${name} ${standIn}\n`));
        adapted.add('windows-functions');
    }
    return texts;
}

/** Whether the program declares a function, or anything else, with that name. */
function declares(code: string, name: string): boolean {
    const before = new RegExp(
        String.raw`((?<![\w:])[A-Za-z_][\w:]*|>)(?:[ \t\n]+|[ \t\n]*[*&][ \t\n*&]*)${name}\b`,
        'g',
    );
    for (const [all, type = ''] of code.matchAll(before)) {
        if (/[*&]/.test(all) ? TYPES.has(type) : !NOT_TYPES.has(type)) return true;
    }
    return false;
}

const TYPES: ReadonlySet<string> = new Set([
    'char',
    'int',
    'long',
    'void',
    'string',
    'std::string',
    'const',
    'auto',
]);
const NOT_TYPES: ReadonlySet<string> = new Set([
    'return',
    'else',
    'do',
    'case',
    'throw',
    'and',
    'or',
    'not',
    'goto',
    'define',
]);

/** Wraps a `main` that returns nothing in one that returns 0. @returns the text to append to the program */
function wrapMain(code: string, edits: Edit[], adapted: Set<Adaptation>): string {
    const found = /\bvoid(\s+(?:__cdecl\s+)?)(_t)?main(\s*\(([^()]*)\)\s*\{)/.exec(code);
    if (found === null) return '';
    const [, gap = '', tchar = '', , parameters = ''] = found;
    const start = found.index + 'void'.length + gap.length;
    edits.push({ start, end: start + tchar.length + 'main'.length, text: 'resume_run_main' });
    adapted.add('void-main');
    const given = /^\s*(?:void\s*)?$/.test(parameters) ? '' : 'argc, argv';
    // Not `int`, which some programs define as `long long`.
    return `\nsigned main(signed argc, char **argv) { (void)argc; (void)argv; resume_run_main(${given}); return 0; }\n`;
}

function applyEdits(source: string, edits: readonly Edit[]): string {
    let text = '';
    let at = 0;
    for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
        text += source.slice(at, edit.start) + edit.text;
        at = edit.end;
    }
    return text + source.slice(at);
}
