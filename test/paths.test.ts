import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';

/*
 * Every path named by a comment, a document, a script or a configuration file must exist. A comment that points at a removed
 * test, or a CI script that lists a missing folder, protects nothing and gives no warning.
 */

const ROOT = join(import.meta.dirname, '..');

/**
 * Folders of the repository; names that begin with one of them are paths. Users' folders (results, checkpoints) are not included.
 */
const FOLDERS = ['src', 'docs', 'test', 'bench', 'scripts', 'native', 'examples', 'bin', '.ci', '.github'];

/** What builds make from sources: `dist/cli.js` from `src/cli.ts`. */
const BUILT: readonly (readonly [built: RegExp, source: string])[] = [
    [/^dist(?:-bench)?$/, 'package.json'],
    [/^dist-bench\/(.+)\.js$/, '$1.ts'],
    [/^dist\/bundle(?:\/cli\.js)?$/, 'scripts/bundle.mjs'],
    [/^dist\/(.+)\.(?:d\.ts|js)$/, 'src/$1.ts'],
    [/^dist\/(.+)$/, 'src/$1'],
];

/** Paths named on purpose that are not in the repository. An exception that is no longer needed fails the test. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

interface Mention {
    /** `file:line` of the mention. */
    readonly at: string;
    readonly path: string;
}

const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => posix.join(entry.parentPath.slice(ROOT.length + 1), entry.name)),
).concat(
    readdirSync(ROOT, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name),
);
const paths = new Set(files.flatMap((file) => [file, ...foldersAbove(file)]));
const baseNames = new Set(files.map((file) => posix.basename(file)));
const sourceFolders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

function foldersAbove(file: string): string[] {
    const above = posix.dirname(file);
    return above === '.' ? [] : [above, ...foldersAbove(above)];
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The comments of a source file, on their lines; everything else is blanked out. */
function commentsOf(text: string): string {
    const token =
        /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*)/g;
    let comments = '';
    for (const match of text.matchAll(token)) {
        const comment = match.groups?.['comment'];
        if (comment === undefined) continue;
        comments += text.slice(comments.length, match.index).replace(/[^\n]/g, ' ') + comment;
    }
    return comments;
}

/** The files in which paths are looked for, each with its relevant text. */
function textsWithPaths(): readonly (readonly [file: string, text: string])[] {
    return files
        .filter((file) => !file.startsWith('test/golden/') && !file.startsWith('examples/sources/'))
        .flatMap((file): (readonly [string, string])[] => {
            if (/\.(?:ts|mjs|js|c|h)$/.test(file)) return [[file, commentsOf(read(file))]];
            const isProse = /\.(?:md|yml)$/.test(file) || file.startsWith('.ci/');
            const isConfiguration =
                !file.includes('/') && file.endsWith('.json') && file !== 'package-lock.json';
            return isProse || isConfiguration ? [[file, read(file)]] : [];
        });
}

function mentionsIn(file: string, text: string, pattern: RegExp): Mention[] {
    return text.split('\n').flatMap((line, index) =>
        [...line.matchAll(pattern)].map((match) => ({
            at: `${file}:${index + 1}`,
            path: (match[1] ?? '').replace(/[.,:]+$/, ''),
        })),
    );
}

const SEGMENT = String.raw`[\w.@*<>{}-]+(?:,[\w.@*<>{}-]+)*`;
const folder = (names: readonly string[]): string => `(?:${names.join('|').replaceAll('.', String.raw`\.`)})`;
/** `src/run/loop.ts`, `test/crash`, `bench/{main,soak}.ts`, `src/commands/<name>.ts`, also with a leading `./`. */
const FROM_ROOT = new RegExp(
    String.raw`(?<![\w/~$}>@.-]|\.\./)(?:\./)?(${folder([...FOLDERS, 'dist', 'dist-bench'])}(?:/${SEGMENT})+/?)`,
    'g',
);
/** `run/loop.ts`: below `src/`. */
const FROM_SOURCE = new RegExp(
    String.raw`(?<![\w/~$}>@.-])(${folder(sourceFolders)}(?:/${SEGMENT})+\.ts)\b`,
    'g',
);
/** `loop.ts` alone. */
const BASE_NAME = /(?<![\w/~$}>@*.-])((?:[\w-]+\.)+ts)\b/g;

function exists(path: string): boolean {
    const named = path.replace(/\/$/, '');
    const built = BUILT.find(([pattern]) => pattern.test(named));
    const plain = built === undefined ? named : named.replace(...built);
    if (paths.has(plain)) return true;
    const pattern = plain.replace(/<[^<>]+>/g, '*');
    if (!/[*{]/.test(pattern)) return false;
    const matches = picomatch(pattern, { dot: true });
    return [...paths].some((known) => matches(known));
}

/** Mentions of missing paths, as `file:line names path`. */
const lost = (mentions: readonly Mention[], isThere: (path: string) => boolean): string[] =>
    mentions
        .filter(({ path }) => !Object.hasOwn(EXCEPTIONS, path) && !isThere(path))
        .map(({ at, path }) => `${at} names ${path}`);

/** `[text](page.md#heading)`, without links to other hosts. */
const LINK = /\]\((?!\w+:)([^()\s]+)\)/g;
const HEADING = /^#+\s+(.+)$/gm;

/** The anchor that GitHub generates for a heading. */
const anchorOf = (heading: string): string =>
    heading
        .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-');

/** Whether a page's link leads to a file and, after `#`, to a heading or an id in it. */
function leadsSomewhere(page: string, link: string): boolean {
    const [target = '', anchor] = link.split('#');
    const file = target === '' ? page : posix.normalize(posix.join(posix.dirname(page), target));
    if (!exists(file)) return false;
    if (anchor === undefined || !file.endsWith('.md')) return true;
    const text = read(file);
    return (
        [...text.matchAll(HEADING)].some((match) => anchorOf(match[1] ?? '') === anchor) ||
        text.includes(`id="${anchor}"`)
    );
}

const texts = textsWithPaths();
const fromRoot = texts.flatMap(([file, text]) => mentionsIn(file, text, FROM_ROOT));
const fromSource = texts.flatMap(([file, text]) => mentionsIn(file, text, FROM_SOURCE));
const byName = texts.flatMap(([file, text]) => mentionsIn(file, text, BASE_NAME));
const belowSource = (path: string): boolean => exists(`src/${path}`) || exists(`test/${path}`);

describe('what the repository names', () => {
    it('are found in comments and prose, and missed when they are gone', () => {
        const text =
            "const a = 'src/in-a-string.ts'; // as src/gone.ts:3 and test/crash/gone-too.test.ts.\n/* run/gone.ts */";
        expect(lost(mentionsIn('a.ts', commentsOf(text), FROM_ROOT), exists)).toEqual([
            'a.ts:1 names src/gone.ts',
            'a.ts:1 names test/crash/gone-too.test.ts',
        ]);
        expect(lost(mentionsIn('a.ts', commentsOf(text), FROM_SOURCE), belowSource)).toEqual([
            'a.ts:2 names run/gone.ts',
        ]);
        expect(leadsSomewhere('docs/README.md', 'sandbox.md#no-such-heading')).toBe(false);
    });

    it('are paths that exist, in comments, documents, CI and configuration', () => {
        expect(fromRoot.length).toBeGreaterThan(100);
        expect(lost(fromRoot, exists)).toEqual([]);
    });

    it('are source files that exist, where a comment or a document leaves src/ out', () => {
        expect(fromSource.length).toBeGreaterThan(10);
        expect(lost(fromSource, belowSource)).toEqual([]);
    });

    it('are source files that exist, where one is named alone', () => {
        expect(byName.length).toBeGreaterThan(10);
        expect(lost(byName, (name) => baseNames.has(name))).toEqual([]);
    });

    it('are pages and headings that exist, where a document has a link', () => {
        const pages = texts.filter(([file]) => file.endsWith('.md'));
        const links = pages.flatMap(([file, text]) =>
            mentionsIn(file, text, LINK).map((mention) => ({ ...mention, file })),
        );
        expect(links.length).toBeGreaterThan(50);
        const wrong = links.filter(({ file, path }) => !leadsSomewhere(file, path));
        expect(wrong.map(({ at, path }) => `${at} links to ${path}`)).toEqual([]);
    });

    it('are npm scripts that exist', () => {
        const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
        const named = texts.flatMap(([file, text]) =>
            mentionsIn(file, text, /\bnpm run (?:--silent )?([a-z][\w:-]*)/g),
        );
        expect(named.length).toBeGreaterThan(20);
        expect(lost(named, (name) => Object.hasOwn(scripts, name))).toEqual([]);
    });

    it('are in the package that npm packs', () => {
        const { files: packed } = JSON.parse(read('package.json')) as { files: string[] };
        expect(packed.filter((path) => path !== 'dist' && !exists(path))).toEqual([]);
    });

    it('are exceptions only where one is needed', () => {
        const stale = Object.keys(EXCEPTIONS).filter(
            (path) =>
                ![...fromRoot, ...fromSource, ...byName].some((mention) => mention.path === path) ||
                exists(path) ||
                belowSource(path) ||
                baseNames.has(path),
        );
        expect(stale).toEqual([]);
    });
});
