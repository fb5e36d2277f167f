import { describe, expect, it } from 'vitest';
import { fingerprintSample } from '../../src/model/fingerprint.js';
import type { ProgramInput, Sample } from '../../src/model/sample.js';
import { folderWith, indexOf, loadAll, openAll, openOne } from './rig.js';

const problemXml = (tests: string, more = '', assets = ''): string => `<?xml version="1.0" encoding="utf-8"?>
<problem revision="3" short-name="sum">
    <judging input-file="" output-file="">
        <testset name="pretests"><test-count>0</test-count></testset>
        <testset name="tests">
            <time-limit>1500</time-limit>
            <memory-limit>268435456</memory-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests>${tests}</tests>${more}
        </testset>
    </judging>
    <files><resources><file path="files/testlib.h" type="h.g++"/><file path="files/olymp.sty"/></resources></files>
    <assets>
        <checker name="std::wcmp.cpp" type="testlib"><source path="files/check.cpp" type="cpp.g++17"/></checker>
        ${assets}
        <solutions>
            <solution tag="main"><source path="solutions/sum.cpp" type="cpp.g++17"/></solution>
            <solution tag="wrong-answer"><source path="solutions/wrong.py" type="python.3"/></solution>
            <solution tag="time-limit-exceeded-or-accepted"><source path="solutions/old.py" type="python.2"/></solution>
            <solution tag="do-not-run"><source path="solutions/notes.py" type="python.3"/></solution>
        </solutions>
    </assets>
</problem>
`;

const PACKAGE = {
    'problem.xml': problemXml('<test method="manual" sample="true"/><test cmd="gen 1" method="generated"/>'),
    'tests/01': '1 2\n',
    'tests/01.a': '3\n',
    'tests/02': '5 6\n',
    'tests/02.a': '11\n',
    'files/check.cpp': '#include "testlib.h"\nint main() {}\n',
    'files/testlib.h': '\n',
    'solutions/sum.cpp': 'int main() {}\n',
    'solutions/wrong.py': 'print(1)\n',
    'solutions/old.py': 'print 1\n',
    'solutions/notes.py': '\n',
};

async function load(files: Readonly<Record<string, string>>): Promise<Sample> {
    const [sample] = await loadAll(await openOne(await folderWith(files)));
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

const programs = ({ groups }: Sample): ProgramInput[] =>
    Object.values(groups)
        .flat()
        .filter((task) => task.kind === 'program');

describe('a Polygon package', () => {
    it('gives tests, limits, the checker with its testlib.h, and solutions by their tags', async () => {
        const sample = await load(PACKAGE);
        expect(sample.skip).toBeNull();
        expect(sample.judging).toMatchObject({
            tests: [{ name: 'tests/01' }, { name: 'tests/02' }],
            limits: { time: 1.5, memory: 268435456 },
            checker: {
                convention: 'testlib',
                language: 'CPP',
                files: [{ name: 'check.cpp' }, { name: 'testlib.h' }],
            },
        });
        expect(sample.judging?.scoring).toBeUndefined();
        expect(programs(sample).map(({ name, language, expected }) => [name, language, expected])).toEqual([
            ['solutions/sum.cpp', 'CPP', ['Accepted']],
            ['solutions/old.py', 'PYTHON', ['Accepted', 'TimeLimitExceeded']],
            ['solutions/wrong.py', 'PYTHON3', ['WrongAnswer']],
        ]);
        expect(Object.values(sample.groups).map((tasks) => tasks.length)).toEqual([1, 2]);
    });

    it('scores groups by their policies and dependencies', async () => {
        const tests = `<test method="manual" group="a" points="10"/><test method="manual" group="b" points="5.5"/>`;
        const groups = `<groups>
            <group name="a" points-policy="complete-group" points="40.0"/>
            <group name="b" points-policy="each-test"><dependencies><dependency group="a"/></dependencies></group>
        </groups>`;
        const sample = await load({ ...PACKAGE, 'problem.xml': problemXml(tests, groups) });
        expect(sample.judging?.scoring).toMatchObject({
            best: 45.5,
            root: {
                items: [
                    {
                        group: {
                            name: 'a',
                            items: [{ test: 0 }],
                            rules: { aggregation: 'pass-fail', maximum: 40 },
                        },
                    },
                    {
                        group: {
                            name: 'b',
                            items: [{ test: 1, maximum: 5.5 }],
                            rules: { aggregation: 'sum', requires: ['a'] },
                        },
                    },
                ],
            },
        });
    });

    it('is scored by the points of its checker where its tests have none', async () => {
        const xml = problemXml('<test method="manual" points="0.0"/><test method="manual" points="0.0"/>');
        const checker = '#include "testlib.h"\nint main() { quitp(0.5, "half"); }\n';
        const sample = await load({ ...PACKAGE, 'problem.xml': xml, 'files/check.cpp': checker });
        expect(sample.judging?.scoring).toMatchObject({
            best: null,
            root: { items: [{ test: 0 }, { test: 1 }], rules: { kind: 'grader', stopsAtReject: false } },
        });
        const mentioned = await load({ ...PACKAGE, 'problem.xml': xml, 'files/check.cpp': '// quitp(1)\n' });
        expect(mentioned.judging?.scoring).toBeUndefined();
    });

    it('may be interactive, with fingerprints of its own', async () => {
        const interactor = '<interactor><source path="files/talk.cpp" type="cpp.g++17"/></interactor>';
        const xml = problemXml('<test method="manual"/>', '', interactor);
        const sample = await load({ ...PACKAGE, 'problem.xml': xml, 'files/talk.cpp': 'int main() {}\n' });
        expect(sample).toMatchObject({
            skip: null,
            judging: {
                interactive: true,
                interactor: { convention: 'testlib', files: [{ name: 'talk.cpp' }, { name: 'testlib.h' }] },
            },
        });
        // Never change it.
        expect(fingerprintSample(sample, '')['solution']).toEqual([
            'v1-sha256-de644bc2267d880e3d28bcd81dc20be78c06357bb4425d6f16cba41d30258e0b',
        ]);
    });

    it('is skipped with what is missing: files elsewhere, a checker', async () => {
        const name = (file: string) =>
            PACKAGE['problem.xml'].replace('input-file=""', `input-file="${file}"`);
        expect((await load({ ...PACKAGE, 'problem.xml': name('/etc/passwd') })).skip).toMatch(
            /not a plain name/,
        );
        const named = await load({ ...PACKAGE, 'problem.xml': name('sum.in') });
        expect(named.skip).toBeNull();
        expect(named.judging?.namedFiles).toEqual({ input: 'sum.in', output: null });
        const { 'files/check.cpp': _, ...unchecked } = PACKAGE;
        expect((await load(unchecked)).skip).toBe('its files/check.cpp is missing');
    });

    it('stands beside packages of other formats, and says what is wrong with its problem.xml', async () => {
        const folder = await folderWith({
            ...Object.fromEntries(Object.entries(PACKAGE).map(([name, text]) => [`one/${name}`, text])),
            'two/problem.yaml': 'name: Two\n',
        });
        const datasets = await openAll([folder]);
        expect(datasets.map(({ format }) => format)).toEqual(['kattis', 'polygon']);
        expect((await Promise.all(datasets.map(indexOf))).flat().map(({ id }) => id)).toEqual(['two', 'one']);
        await expect(load({ 'problem.xml': '<problem><judging>' })).rejects.toThrow(
            /problem\.xml: not valid XML/,
        );
        await expect(load({ 'problem.xml': '<other/>' })).rejects.toThrow(/has no <testset>/);
        await expect(
            openAll([await folderWith({ 'a/task.yaml': 'name: x\ntitle: X\ntime_limit: 1\n' })]),
        ).rejects.toThrow(/CMS task, which is not supported/);
    });
});
