import {
    chmodSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    statSync,
    utimesSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BuildCache } from '../../../src/executor/judge/build-cache.js';
import { LANGUAGES } from '../../../src/executor/judge/language-table.js';
import type { UsableLanguage } from '../../../src/executor/judge/toolchains.js';

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resume-run-build-cache-'));
    // As root, the cache is in a folder that other users can reach, so that compilers can read it.
    chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const go = LANGUAGES.find(({ tag }) => tag === 'GO');

/** A script as compiler: it counts its runs and fills the folder that it is given. */
function usableWith(script: string): UsableLanguage {
    if (go === undefined) throw new Error('the table has no Go');
    const path = join(folder, 'compiler');
    writeFileSync(path, `#!/bin/sh\necho run >>${join(folder, 'runs')}\n${script}\n`, { mode: 0o755 });
    const tool = { name: 'go', path, version: 'go version 1', root: null };
    return { language: go, compile: null, run: [], compiler: tool, runner: null, roots: [] };
}

const runs = (): number => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n').length;
const FILLS = 'mkdir "$GOCACHE" && grep -c "fmt" "$4" >"$GOCACHE/library"';

describe('the compiled standard library', () => {
    it('is made once by all who ask at the same time, of a program that imports it', async () => {
        const usable = usableWith(`sleep 0.3; ${FILLS}`);
        const asked = Array.from({ length: 4 }, () => new BuildCache(join(folder, 'compiled')).get(usable));
        const folders = new Set(await Promise.all(asked));
        expect(folders.size).toBe(1);
        const [made] = folders;
        expect(readFileSync(join(made ?? '', 'library'), 'utf8')).toBe('1\n');
        expect(runs()).toBe(1);
        expect(statSync(made ?? '').mode & 0o055).toBe(0o055);
    });

    it('is made by the next one where who was making it died', async () => {
        const usable = usableWith(FILLS);
        const cache = new BuildCache(join(folder, 'compiled'));
        const made = await cache.get(usable);
        rmSync(made ?? '', { recursive: true });
        mkdirSync(`${made}.filling`);
        const longAgo = new Date(Date.now() - 3_600_000);
        utimesSync(`${made}.filling`, longAgo, longAgo);
        expect(await new BuildCache(join(folder, 'compiled')).get(usable)).toBe(made);
        expect(runs()).toBe(2);
    });

    it('is done without where the compiler cannot make it, or the language has none', async () => {
        const cache = new BuildCache(join(folder, 'compiled'));
        const usable = usableWith('exit 1');
        expect(await cache.get(usable)).toBeNull();
        const { standardLibrary: _, ...language } = usable.language;
        expect(await cache.get({ ...usable, language })).toBeNull();
    });
});
