import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitCommand } from '../../src/dataset/polygon/split-command.js';
import type { Sample } from '../../src/model/sample.js';
import type { TestMaker, TestRecipe } from '../../src/model/test-recipe.js';
import { callCli } from '../rig/in-process.js';
import { folderWith, loadAll, openOne } from './rig.js';

const problemXml = (tests: string, judging = 'input-file="" output-file=""'): string => `<problem>
    <judging ${judging}>
        <testset name="tests">
            <time-limit>2000</time-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests>${tests}</tests>
        </testset>
    </judging>
    <files>
        <resources><file path="files/lib.h"/><file path="files/olymp.sty"/></resources>
        <executables>
            <executable><source path="files/gen.py" type="python.3"/></executable>
            <executable><source path="files/deep.cpp" type="cpp.g++17"/></executable>
        </executables>
    </files>
    <assets>
        <solutions>
            <solution tag="accepted"><source path="solutions/other.py" type="python.3"/></solution>
            <solution tag="main"><source path="solutions/sum.py" type="python.3"/></solution>
            <solution tag="wrong-answer"><source path="solutions/wrong.py" type="python.3"/></solution>
        </solutions>
    </assets>
</problem>
`;

/** As in a standard package of Polygon: only the inputs that the author wrote by hand. */
const PACKAGE = {
    'problem.xml': problemXml(
        '<test method="manual" sample="true"/><test cmd="gen 5 &quot;6 7&quot;" method="generated"/>',
    ),
    'tests/01': '1 2\n',
    'files/gen.py': 'import sys\nprint(*sys.argv[1:])\n',
    'files/deep.cpp': 'int main() {}\n',
    'files/lib.h': '\n',
    'solutions/sum.py': 'print(sum(map(int, input().split())))\n',
    'solutions/other.py': 'print(sum(map(int, input().split())))\n',
    'solutions/wrong.py': 'print(3)\n',
};

/** Records the requested recipes and answers that it cannot make them. */
class Recorder implements TestMaker {
    asked: readonly TestRecipe[] = [];
    make(_what: string, recipes: readonly TestRecipe[]): Promise<string> {
        this.asked = recipes;
        return Promise.resolve('no');
    }
    runScript(): Promise<string> {
        return Promise.resolve('no');
    }
}

async function load(
    files: Readonly<Record<string, string>>,
    maker: TestMaker | null = null,
): Promise<Sample> {
    const dataset = await openOne(await folderWith(files), { testMaker: () => Promise.resolve(maker) });
    const [sample] = await loadAll(dataset);
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

const skipOf = async (xml: string, changes: Readonly<Record<string, string>> = {}): Promise<string | null> =>
    (await load({ ...PACKAGE, ...changes, 'problem.xml': xml }, new Recorder())).skip;

describe('tests that are missing in a Polygon package', () => {
    it('are described by the commands of problem.xml and the main solution', async () => {
        const maker = new Recorder();
        const xml = problemXml(
            '<test method="manual"/><test cmd="gen 5 &quot;6 7&quot;" method="generated"/><test cmd="deep a&lt;b" method="generated"/>',
        );
        const { skip } = await load({ ...PACKAGE, 'problem.xml': xml, 'tests/03.a': 'kept\n' }, maker);
        expect(skip).toBe(
            '3 of its tests are not in the package, and could not be made by its generators: no; download the full package, or run doall first',
        );
        expect(maker.asked).toMatchObject([
            {
                name: 'tests/01',
                input: { kind: 'content', content: { path: expect.stringMatching(/tests\/01$/) } },
                answer: null,
                solution: { language: 'PYTHON3', files: [{ name: 'sum.py' }, { name: 'lib.h' }] },
            },
            {
                name: 'tests/02',
                input: {
                    program: { language: 'PYTHON3', files: [{ name: 'gen.py' }, { name: 'lib.h' }] },
                    tries: [['5', '6 7']],
                },
            },
            {
                name: 'tests/03',
                input: { program: { language: 'CPP', files: [{ name: 'deep.cpp' }, {}] }, tries: [['a<b']] },
                answer: { path: expect.stringMatching(/tests\/03\.a$/) },
                solution: null,
            },
        ]);
    });

    it('are said to be missing where nothing can make them', async () => {
        const one = '<test method="manual"/>';
        expect(await skipOf(problemXml(`${one}${one}`))).toMatch(/its input tests\/02 is not in the package/);
        const generated = (more: string): string => problemXml(`${one}<test method="generated" ${more}/>`);
        expect(await skipOf(generated('cmd="lost 1"'))).toMatch(/its generator lost is not in the package/);
        expect(await skipOf(generated('cmd="gen 1" from-file="2"'))).toMatch(/one of several files/);
        expect(await skipOf(problemXml(one, 'input-file="sum.in" output-file=""'))).toMatch(/named files/);
        const unmarked = PACKAGE['problem.xml'].replace('tag="main"', 'tag="accepted"');
        expect(await skipOf(unmarked)).toMatch(/no solution is marked as the main one/);
        const talks = PACKAGE['problem.xml'].replace(
            '<assets>',
            '<assets><interactor><source path="files/gen.py" type="python.3"/></interactor>',
        );
        expect(await skipOf(talks)).toMatch(/made by its interactor/);
        expect((await load(PACKAGE, null)).skip).toMatch(/run only on this machine/);
    });

    it('are not asked for where the package holds them', async () => {
        const full = { 'tests/01.a': '3\n', 'tests/02': '5 6\n', 'tests/02.a': '11\n' };
        expect((await load({ ...PACKAGE, ...full }, null)).skip).toBeNull();
    });
});

describe('a command of a generator', () => {
    it.each([
        ['gen 1  2', ['gen', '1', '2']],
        ['gen "a b" \'c "d\' e\\ f', ['gen', 'a b', 'c "d', 'e f']],
        ['gen --x="1 2"3', ['gen', '--x=1 23']],
        ['gen "" "a\\"b" "c\\d"', ['gen', '', 'a"b', 'c\\d']],
        ["gen $HOME * it's", ['gen', '$HOME', '*', "it's"]],
    ])('%s is split as a shell does', (command, words) => {
        expect(splitCommand(command)).toEqual(words);
    });

    it('is split in no time where its quotes do not end', () => {
        const started = process.cpuUsage().user;
        expect(splitCommand(`gen "${'\\\\'.repeat(20_000)}`)).toHaveLength(2);
        expect(process.cpuUsage().user - started).toBeLessThan(2_000_000);
    });
});

describe('a standard package of Polygon', () => {
    let folder: string;
    beforeAll(async () => {
        folder = await realpath(await mkdtemp(join(tmpdir(), 'polygon-tests-')));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('is judged by the tests that its generators and its main solution make', async () => {
        const spaced = PACKAGE['problem.xml'].replace('&quot;6 7&quot;', '6 7');
        const tree = await folderWith({ ...PACKAGE, 'problem.xml': spaced });
        const { stdout, stderr } = await callCli(
            [tree, '--dir', 'results', '--mode', 'async', '-j', '1', '--all-tests', '--timeout', '10'],
            { cwd: folder },
        );
        expect(stderr).toContain('making 2 tests');
        expect(stdout).toMatch(/TPR +100 %[\s\S]*TNR +100 %/);
        const name = tree.slice(tree.lastIndexOf('/') + 1);
        const results = JSON.parse(await readFile(join(folder, `results/${name}.json`), 'utf8')) as Record<
            string,
            readonly { readonly result: { readonly tests: readonly { readonly passed: boolean }[] } }[]
        >;
        const [wrong] = results['incorrect_solution_result'] ?? [];
        // The program prints the sample's answer, but not that of the generated test.
        expect(wrong?.result.tests.map(({ passed }) => passed)).toEqual([true, false]);
    });
});
