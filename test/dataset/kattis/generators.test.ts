import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
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

/** What the recipes of a package with these generators say; a text says why there are none. */
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
    const result = await readGenerators(found, field, { constants: new Map([['n', '7']]), interactive });
    return typeof result === 'string' ? result : result.recipes;
}

/** Name and command (or text) of each test. */
async function namesOf(yaml: string, files?: Readonly<Record<string, string>>): Promise<unknown> {
    const recipes = await read(yaml, files);
    if (typeof recipes === 'string') return recipes;
    return recipes.map(({ name, input }) =>
        input.kind === 'content'
            ? [name, input.content.text ?? 'a file']
            : [name, input.program.files[0].name, ...input.args],
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
        ['data: {secret: {include: [other], data: {}}}', /includes other, which it does not describe/],
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
        // Another test at each run: what was made once must stay.
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

    it('is in no rate where they cannot be made, or are not there at all', async () => {
        await writePackage('broken', { ...GENERATED, 'generators/gen.py': 'raise SystemExit("no idea")\n' });
        await writePackage('samples', { ...SAMPLE, 'submissions/wrong_answer/zero.py': 'print(0)\n' });
        const broken = await run('broken');
        expect(broken.stdout).toContain('none can run');
        expect(broken.stdout.replace(/\s+/g, ' ')).toMatch(
            /could not be made by its generators: gen\.py, which makes its test secret\/a, ended with exit code 1: no idea/,
        );
        const samples = await run('samples');
        expect(samples.stdout.replace(/\s+/g, ' ')).toContain(
            'its secret tests are not in the package, only its samples',
        );
    });
});
