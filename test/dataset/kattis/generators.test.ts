import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENERATORS_YAML, readGenerators } from '../../../src/dataset/kattis/generators.js';
import { listPackage } from '../../../src/dataset/kattis/package-files.js';
import { readYamlFile } from '../../../src/dataset/kattis/yaml-file.js';
import type { TestRecipe } from '../../../src/model/test-recipe.js';
import { callCli } from '../../rig/in-process.js';

let folder: string;
beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'generators-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writePackage(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [path, text] of Object.entries({ 'problem.yaml': 'name: Add\n', ...files })) {
        const file = join(folder, name, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
    }
    return join(folder, name);
}

let packages = 0;

/** The recipes of a package with these generators; a string says why there are none. */
async function read(
    yaml: string,
    files: Readonly<Record<string, string>> = { 'generators/gen.py': 'print(1)' },
    interactive = false,
): Promise<readonly TestRecipe[] | string> {
    packages += 1;
    const root = await writePackage(`read-${packages}`, { [GENERATORS_YAML]: yaml, ...files });
    const found = await listPackage(root, root);
    const file = found.find(({ name }) => name === GENERATORS_YAML);
    if (file === undefined) throw new Error('the package has lost its generators.yaml');
    const field = await readYamlFile(file, GENERATORS_YAML);
    const problem = { constants: new Map([['n', '7']]), interactive, passes: null };
    const described = readGenerators(found, field, problem);
    const result = typeof described === 'string' ? described : await described.readRecipes(() => true);
    return typeof result === 'string' ? result : result.tests;
}

/** Name and command (or text) of each test. */
async function namesOf(yaml: string, files?: Readonly<Record<string, string>>): Promise<unknown> {
    const recipes = await read(yaml, files);
    if (typeof recipes === 'string') return recipes;
    return recipes.map(({ name, input }) =>
        input.kind === 'content'
            ? [name, input.content.text ?? 'a file']
            : [name, input.program.files[0].name, ...(input.tries[0] ?? [])],
    );
}

describe('generators.yaml', () => {
    it('names tests, fills in their commands, and computes seeds as BAPCtools does', async () => {
        const yaml = `
random_salt: pep
data:
  sample: {data: {'1': {in: 1 2, ans: '3'}}}
  secret:
    data:
      b: gen.py {seed} 5
      a: {generate: 'gen.py {name} {{n}}'}
      c: {generate: 'gen.py {seed} {count}', count: 2}
      plain:
        random_salt: ''
        data: {x: 'gen.py {seed} 5'}
  invalid_input: {data: {z: {in: '-1'}}}
`;
        expect(await namesOf(yaml)).toEqual([
            ['sample/1', '1 2\n'],
            ['secret/a', 'gen.py', 'a', '7'],
            ['secret/b', 'gen.py', '920698686', '5'],
            ['secret/c-1', 'gen.py', '1747082982', '1'],
            ['secret/c-2', 'gen.py', '286058240', '2'],
            ['secret/plain/x', 'gen.py', '1747917994', '5'],
        ]);
    });

    it('numbers the tests of lists, and includes those of other folders', async () => {
        const yaml = `
data:
  sample: {data: [{'': {in: s}}]}
  secret:
    data:
      - small:
          testdata.yaml: {output_validator_flags: case_sensitive}
          data: [{one: gen.py 1}, {'': gen.py 2}]
      - large: {data: {}, include: [small, sample]}
`;
        expect(await namesOf(yaml)).toEqual([
            ['sample/1', 's\n'],
            ['secret/1-small/2-one', 'gen.py', '1'],
            ['secret/1-small/3', 'gen.py', '2'],
            ['secret/2-large/2-one', 'gen.py', '1'],
            ['secret/2-large/3', 'gen.py', '2'],
            ['secret/2-large/1', 's\n'],
        ]);
    });

    it('numbers each test that a count makes, and includes what an earlier folder includes', async () => {
        const yaml = `
data:
  sample: {data: {one: {in: s}, shown: {in.statement: x}}}
  secret:
    data:
      - small: {data: [{a: {generate: 'gen.py {count}', count: -1..=1}}], include: [one]}
      - '': {generate: 'gen.py {count}', count: [1, 200]}
      - large: {data: {}, include: [small]}
`;
        expect(await namesOf(yaml)).toEqual([
            ['sample/one', 's\n'],
            ['secret/1-small/1-a--1', 'gen.py', '-1'],
            ['secret/1-small/2-a-00', 'gen.py', '0'],
            ['secret/1-small/3-a-01', 'gen.py', '1'],
            ['secret/1-small/one', 's\n'],
            ['secret/4-1', 'gen.py', '1'],
            ['secret/5-200', 'gen.py', '200'],
            ['secret/2-large/1-a--1', 'gen.py', '-1'],
            ['secret/2-large/2-a-00', 'gen.py', '0'],
            ['secret/2-large/3-a-01', 'gen.py', '1'],
            ['secret/2-large/one', 's\n'],
        ]);
    });

    it('tries a generator that fails again with the next seed', async () => {
        const recipes = await read('data: {secret: {retries: 2, data: {a: "gen.py {seed}", b: gen.py 1}}}');
        if (typeof recipes === 'string') throw new Error(recipes);
        const [first, second] = recipes.map(({ input }) => (input.kind === 'program' ? input.tries : []));
        expect(first?.map(([seed]) => Number(seed))).toEqual([expect.any(Number), Number(first?.[0]) + 1]);
        expect(second).toEqual([['1']]);
    });

    it('finds generators that are folders, lists of files, or copies, and a solution that is not named', async () => {
        const files = {
            'generators/tree.py': 'import lib',
            'generators/lib.py': '',
            'generators/dir/main.cpp': 'int main() {}',
            'generators/manual/1.in': 'by hand',
            'submissions/accepted/a.py': '',
            'submissions/accepted/z.cpp': '',
        };
        const recipes = await read(
            'generators: {tree: [tree.py, lib.py]}\ndata: {secret: {data: {a: tree 1, b: dir 2, c: {copy: manual/1}}}}',
            files,
        );
        expect(recipes).toMatchObject([
            { input: { program: { language: 'PYTHON3', files: [{ name: 'tree.py' }, { name: 'lib.py' }] } } },
            { input: { program: { language: 'CPP', files: [{ name: 'main.cpp' }] } } },
            { input: { kind: 'content' }, answer: null, solution: { files: [{ name: 'z.cpp' }] } },
        ]);
    });

    it('gives tests of interactive problems an empty answer', async () => {
        const recipes = await read('data: {secret: {data: {a: gen.py 1}}}', undefined, true);
        expect(recipes).toMatchObject([{ answer: { text: '' }, solution: null }]);
    });

    it.each([
        ['data: {secret: {data: {a: missing.py 1}}}', /^generators\/missing\.py is not in the package/],
        ['data: {secret: {data: {a: ../../etc/passwd}}}', /leads out of the package/],
        ['data: {secret: {data: {a: {copy: nothing}}}}', /copies generators\/nothing\.in, which is not in/],
        [
            'data: {secret: {data: {a: {count: 5000, generate: gen.py}}}}',
            /count is not a number from 1 to 1000/,
        ],
        ['data: {secret: {data: {a: }}}', /its test secret\/a has neither a text nor a generator/],
        ['data: {secret: {data: {a: {in: x, solution: /gone.py}}}}', /gone\.py is not in the package/],
        ["data: {secret: {data: {'a/../../b': {in: x}}}}", /has no usable name/],
        ['data: {secret: {include: [other], data: {}}}', /includes other before defining it/],
        [
            'data: {sample: {data: {a: {in: x}}}, secret: {data: {a: {in: y}, z: {include: [a]}}}}',
            /includes a, which it defines twice/,
        ],
        ['data: [{secret: {}}]', /its data is a list/],
        ['data: {secret: {retries: 1.0e+9, data: {}}}', /retries is not a number from 1 to 100/],
    ])('says why %s makes no tests', async (yaml, message) => {
        expect(await namesOf(yaml)).toMatch(message);
    });
});

const ADD = 'print(sum(map(int, input().split())))\n';
const SAMPLE = { 'data/sample/1.in': '0 0\n', 'data/sample/1.ans': '0\n' };

describe('a package whose secret tests are generated', () => {
    const GENERATED = {
        ...SAMPLE,
        'generators/generators.yaml':
            'solution: /submissions/accepted/add.py\ndata: {secret: {data: {a: "gen.py {seed}", b: both.py, c: {in: 4 5}}}}',
        // Makes a different test at each run, so tests once made must be kept.
        'generators/gen.py': 'import sys, os\nprint(int(sys.argv[1]) % 1000 + 1, os.getpid())\n',
        'generators/both.py':
            'open("testcase.in", "w").write("7 8\\n")\nopen("testcase.ans", "w").write("15\\n")\nprint("x")\n',
        'submissions/accepted/add.py': ADD,
        'submissions/wrong_answer/zero.py': 'print(0)\n',
    };
    const run = (name: string, ...args: readonly string[]) =>
        callCli(
            [
                name,
                '--dir',
                `${name}-results`,
                '--mode',
                'async',
                '-j',
                '1',
                '--sandbox',
                'rlimit',
                '--timeout',
                '10',
                ...args,
            ],
            { cwd: folder },
        );

    it('is judged by the tests that its generators make, once', async () => {
        await writePackage('made', GENERATED);
        const first = await run('made', '--all-tests');
        expect(first.stderr).toContain('making 3 tests of made by its generators');
        expect(first.stdout).toMatch(/TPR +100 %[\s\S]*TNR +100 %/);
        const result = JSON.parse(await readFile(join(folder, 'made-results/made.json'), 'utf8')) as {
            readonly incorrect_solution_result: readonly {
                readonly result: { readonly tests: readonly unknown[] };
            }[];
        };
        expect(result.incorrect_solution_result[0]?.result.tests).toHaveLength(4);
        await rm(join(folder, 'checkpoints/made-results/index.json'));
        const second = await run('made', '--all-tests');
        expect(second.stdout).toContain('Nothing left to do');
        expect(second.stderr).not.toContain('making');
    });

    it('takes nothing that a failed try of a generator left', async () => {
        const files = {
            ...SAMPLE,
            'generators/generators.yaml': 'data: {secret: {retries: 2, data: {a: "gen.py {seed}"}}}',
            // Of any two consecutive seeds, it fails with one.
            'generators/gen.py':
                'import os, sys\nif int(sys.argv[1]) % 2 == @parity@:\n    open("testcase.in", "w").write("1 2\\n")\n    open("testcase.ans", "w").write("5\\n")\n    sys.exit(1)\nprint(3, 4)\n',
            'submissions/accepted/add.py': ADD,
        };
        for (const parity of [0, 1]) {
            const program = files['generators/gen.py'].replace('@parity@', String(parity));
            await writePackage(`tries-${parity}`, { ...files, 'generators/gen.py': program });
            const { stdout } = await run(`tries-${parity}`, '--all-tests');
            expect(stdout).toMatch(/TPR +100 %/);
        }
    });

    it('may make them by its input validator, which looks where it was started from', async () => {
        await writePackage('linked', {
            ...SAMPLE,
            'generators/generators.yaml': 'data: {secret: {data: {a: gen 4, b: gen 5}}}',
            'input_validators/check/check.py':
                'import sys\nif "generators" in sys.argv[0].split("/"):\n    print(1, sys.argv[1])\nelse:\n    input()\n',
            'submissions/accepted/add.py': ADD,
        });
        await symlink('../input_validators/check', join(folder, 'linked/generators/gen'));
        const { stdout, stderr } = await run('linked');
        expect(stderr).toContain('making 2 tests of linked by its generators');
        expect(stdout).toMatch(/TPR +100 %/);
    });

    it('has tests made of which it holds one half', async () => {
        await writePackage('half', {
            ...SAMPLE,
            'generators/generators.yaml':
                'data: {secret: {data: {a: {in: 4 5}, b: {in: 6 7}, c: {in: 8 9}}}}',
            'data/secret/a.in': '4 5\n',
            'data/secret/b.ans': '13\n',
            'data/secret/c.in': '8 9\n',
            'data/secret/c.ans': '17\n',
            'submissions/accepted/add.py': ADD,
        });
        const { stdout, stderr } = await run('half', '--all-tests');
        expect(stderr).toContain('making 2 tests of half by its generators');
        expect(stdout).toMatch(/TPR +100 %/);
        const result: unknown = JSON.parse(await readFile(join(folder, 'half-results/half.json'), 'utf8'));
        const passed = expect.objectContaining({ passed: true });
        // The sample, a, b and c, each once.
        const tests = [passed, passed, passed, passed];
        expect(result).toMatchObject({ solution_result: [{ result: { tests } }] });
    });

    it('has the answers of samples made where its secret tests are whole', async () => {
        const files = {
            'problem.yaml': 'name: Unanswered',
            'data/sample/1.in': '4 5\n',
            'data/secret/a.in': '6 7\n',
            'data/secret/a.ans': '13\n',
            'submissions/accepted/add.py': ADD,
        };
        const generators = 'data: {sample: {data: {"1": {in: 4 5}}}, secret: {data: {a: {in: 6 7}}}}';
        await writePackage('unanswered', { ...files, 'generators/generators.yaml': generators });
        const { stdout, stderr } = await run('unanswered', '--all-tests');
        expect(stderr).toContain('making 1 tests of unanswered by its generators');
        expect(stdout).toMatch(/TPR +100 %/);
        const passed = expect.objectContaining({ passed: true });
        const path = join(folder, 'unanswered-results/unanswered.json');
        expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
            solution_result: [{ result: { tests: [passed, passed] } }],
        });
        const failing = generators.replace('{in: 4 5}', 'missing');
        await writePackage('unanswerable', { ...files, 'generators/generators.yaml': failing });
        expect((await run('unanswerable')).stdout.replace(/\s+/g, ' ')).toContain(
            '1 of its samples have no answers, which could not be made by its generators: ',
        );
    });

    it('is judged by all tests where it holds only some of them', async () => {
        const files = {
            ...GENERATED,
            'generators/generators.yaml':
                'data: {secret: {data: {a: "script {seed}", b: script 3, c: {in: 4 5, yaml: {output_validator_flags: case_sensitive}}}}}',
            'generators/script/build': 'echo "#!/bin/sh\necho 1 \\$1" > run; chmod +x run\n',
            // The same as `b`, under the name that an earlier version of the tools gave it.
            'data/secret/b-old.in': '1 3\n',
            'data/secret/b-old.ans': '4\n',
        };
        await writePackage('partly', files);
        const partly = await run('partly', '--all-tests');
        expect(partly.stderr).toContain('making 3 tests of partly by its generators');
        const result: unknown = JSON.parse(
            await readFile(join(folder, 'partly-results/partly.json'), 'utf8'),
        );
        const passed = expect.objectContaining({ passed: true });
        // The sample, a, b-old and c: the output of b exists already.
        expect(result).toMatchObject({
            solution_result: [{ result: { accepted: true, tests: [passed, passed, passed, passed] } }],
        });
        await writePackage('partly-broken', { ...files, 'generators/script/build': 'exit 1\n' });
        const broken = await run('partly-broken');
        expect(broken.stdout.replace(/\s+/g, ' ')).toMatch(
            /3 of its secret tests are not in the package, and could not be made by its generators: build, which makes its test secret\/a, build does not compile/,
        );
    });

    it('is in no rate where they cannot be made, or are not there at all', async () => {
        await writePackage('broken', { ...GENERATED, 'generators/gen.py': 'raise SystemExit("no idea")\n' });
        await writePackage('samples', { ...SAMPLE, 'submissions/wrong_answer/zero.py': 'print(0)\n' });
        const broken = await run('broken');
        expect(broken.stdout).toContain('none can run');
        expect(broken.stdout.replace(/\s+/g, ' ')).toMatch(
            /could not be made by its generators: gen\.py, which makes its test secret\/a, ended with exit code 1: no idea/,
        );
        const samples = await run('samples');
        expect(samples.stdout.replace(/\s+/g, ' ')).toContain('the package has samples but no secret tests');
    });

    it('is judged by its samples where it lists them and says that there are no other tests', async () => {
        const list = (sample: string, secret: string) => ({
            ...SAMPLE,
            'submissions/accepted/add.py': ADD,
            'generators/generators.yaml': `data: {sample: {data: ${sample}}${secret}}`,
        });
        const SAMPLES = '[{"": {in: 0 0}}]';
        await writePackage('listed', list(SAMPLES, ', secret: {data: []}'));
        const listed = await run('listed');
        expect(listed.stdout).toMatch(/TPR +100 %/);
        // A new package lists nothing, an unfinished one does not mention secret tests, and a sample may be missing.
        await writePackage('new', list('[]', ', secret: {data: []}'));
        await writePackage('unsaid', list(SAMPLES, ', secret: {data: }'));
        await writePackage('without', list(SAMPLES, ''));
        await writePackage('lost', list('[{"": {in: 0 0}}, {"": {in: 1 1}}]', ', secret: {data: []}'));
        for (const name of ['new', 'unsaid', 'without', 'lost']) {
            const { stdout } = await run(name);
            expect(stdout.replace(/\s+/g, ' ')).toContain('has samples but no secret tests');
        }
    });
});
