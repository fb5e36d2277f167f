import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MakeTestsOptions, SandboxTestMaker } from '../../../src/executor/judge/make-tests.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { MadeTest, MakerProgram, TestRecipe } from '../../../src/model/test-recipe.js';

const { kind } = await probeSandbox('auto');

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'make-tests-'));
    for (const name of ['scratch', 'tests']) mkdirSync(join(folder, name), { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A "compiler" that takes half a second and makes a program that prints when the compilation began and ended. */
const SLOW = 's=$(date +%s%N); sleep 0.5; printf "#!/bin/sh\\necho $s $(date +%s%N)\\n" >"$0"; chmod +x "$0"';

function makerOf(options: Partial<MakeTestsOptions> = {}) {
    const notices: string[] = [];
    const maker = new SandboxTestMaker({
        sandbox: kind,
        includeDirs: [],
        scratch: join(folder, 'scratch'),
        compileCache: join(folder, 'compiled'),
        python2As3: false,
        adaptWindows: false,
        languages: {
            SLOW: { compile: ['/bin/sh', '-c', SLOW, '{out}'], run: ['{out}'], extensions: ['.slow'] },
        },
        folder: join(folder, 'tests'),
        notify: (line) => notices.push(line),
        concurrency: 2,
        signal: new AbortController().signal,
        ...options,
    });
    return { maker, notices };
}

function program(language: string, file: string, text: string): MakerProgram {
    return { language, files: [{ name: file, content: makeTextContent(text) }] };
}

function recipe(name: string, maker: MakerProgram): TestRecipe {
    return {
        name,
        input: { kind: 'program', program: maker, tries: [[]] },
        answer: makeTextContent(''),
        solution: null,
    };
}

function inputs(made: readonly MadeTest[] | string): string[] {
    if (typeof made === 'string') throw new Error(made);
    return made.map(({ input }) => readFileSync(input, 'utf8').trim());
}

describe('tests that programs of a package make', () => {
    it.each([
        [2, true],
        [1, false],
    ])('have %i of their programs compiled at the same time', async (concurrency, overlaps) => {
        const { maker } = makerOf({ concurrency });
        const recipes = ['a', 'b'].map((name) =>
            recipe(`secret/${name}`, program('SLOW', 'main.slow', `${name}${concurrency}`)),
        );
        const [a, b] = inputs(await maker.make('pkg', recipes)).map((line) => line.split(' ').map(BigInt));
        const [[beganA = 0n, endedA = 0n], [beganB = 0n, endedB = 0n]] = [a ?? [], b ?? []];
        expect([beganA > 0n, beganB > 0n]).toEqual([true, true]);
        expect(beganB < endedA && beganA < endedB).toBe(overlaps);
    });

    it('are kept one by one where the making ends early, and made no second time', async () => {
        const random = program('PYTHON3', 'gen.py', 'import os\nprint(os.urandom(8).hex())\n');
        const slow = program('PYTHON3', 'slow.py', 'import time\ntime.sleep(3)\nprint("slow")\n');
        const recipes = [recipe('secret/a', random), recipe('secret/b', random), recipe('secret/c', slow)];
        const stop = new AbortController();
        const tests = join(folder, 'tests');
        const finished = (): string[] =>
            readdirSync(tests).flatMap((each) =>
                readdirSync(join(tests, each)).filter((name) => name === '1'),
            );
        const first = makerOf({ signal: stop.signal }).maker.make('pkg', recipes);
        while (finished().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        const [unfinished = ''] = readdirSync(tests).filter((name) => /^\.unfinished-\w{32}$/.test(name));
        const kept = ['0', '1'].map((i) => readFileSync(join(tests, unfinished, i, 'in'), 'utf8').trim());
        stop.abort();
        expect(await first).toBe('the run was stopped');
        const { maker, notices } = makerOf();
        expect(inputs(await maker.make('pkg', recipes))).toEqual([...kept, 'slow']);
        expect(notices).toEqual(['making the other 1 of 3 tests of pkg by its generators']);
        expect(readdirSync(tests)).toHaveLength(1);
    });

    it('leave nothing of a package that is at fault', async () => {
        const wrong = program('PYTHON3', 'wrong.py', 'raise SystemExit(3)\n');
        const fine = program('PYTHON3', 'gen.py', 'print(1)\n');
        const { maker } = makerOf();
        expect(await maker.make('pkg', [recipe('secret/a', fine), recipe('secret/b', wrong)])).toBe(
            'wrong.py, which makes its test secret/b, ended with exit code 3: ',
        );
        expect(readdirSync(join(folder, 'tests'))).toEqual([]);
    });
});
