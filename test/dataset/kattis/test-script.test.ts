import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPackage } from '../../../src/dataset/kattis/package.js';
import { readScriptRecipe } from '../../../src/dataset/kattis/test-script.js';
import { digestScript } from '../../../src/executor/judge/run-test-script.js';
import type { ScriptRecipe } from '../../../src/model/test-recipe.js';
import { callCli } from '../../rig/in-process.js';
import { isRun } from '../../rig/parts.js';
import { loadAll, openOne } from '../rig.js';
import { zip } from '../zip.js';

let folder: string;
beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'test-script-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

async function write(root: string, files: Files): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
        const file = join(folder, root, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
    }
}

/** A small gen.sh of our own: the functions that the scripts of such packages call, following their documentation. */
const GEN_SH = `
set -eu
declare -A program where
dir=secret number=0 total=0
rm -rf secret && mkdir -p secret sample
settings() { printf 'on_reject: %s\\naccept_score: %s\\nrange: 0 %s\\ngrader_flags: %s\\n' "$@"; }
compile() {
    local name=\${1##*/}; local base=\${name%.*}
    case $name in
        *.cpp) g++ -O1 -o "$base" "$1"; program[$base]=./$base ;;
        *.py) program[$base]="pypy3 $1" ;;
        *) echo "cannot compile $1" >&2; exit 1 ;;
    esac
}
use_solution() { compile "../submissions/accepted/$1"; local name=\${1##*/}; solver=\${program[\${name%.*}]}; }
samplegroup() { settings continue 0 0 first_error > sample/testdata.yaml; }
sample() { $solver < "sample/$1.in" > "sample/$1.ans"; where[$1]=sample/$1; }
group() {
    dir=secret/$1; mkdir "$dir"; total=$((total + $2))
    settings break "$2" "$2" min > "$dir/testdata.yaml"
    printf 'range: 0 %s\\ngrader_flags: ignore_sample\\n' $total > testdata.yaml
    printf 'range: 0 %s\\ngrader_flags: accept_if_any_accepted\\n' $total > secret/testdata.yaml
}
limits() { echo "input_validator_flags: $*" >> "$dir/testdata.yaml"; }
output_validator_flags() { echo "output_validator_flags: $*" >> "\${dir}/testdata.yaml"; }
tc() {
    number=$((number + 1))
    local path=$dir/$(printf %03d $number)-$1
    if [ $# = 1 ]; then
        for end in in ans; do ln -s "../../\${where[$1]}.$end" "$path.$end"; done
        return
    fi
    local seed=$((16#$(printf %s "$1" | md5sum | head -c 6)))
    \${program[$2]} "\${@:3}" $seed > "$path.in"
    $solver < "$path.in" > "$path.ans"
    where[$1]=$path
}
tc_manual() { program[cat]=manual; local name=\${1##*/}; tc "\${name%.in}" cat "$1"; }
manual() { cat "$1"; }
include_group() { local from=$1; for each in "secret/$from"/*.in; do local name=\${each##*/}; name=\${name%.in}; tc "\${name#*-}"; done; }
`;

const ADD =
    '#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }\n';
const PACKAGE: Files = {
    'problem.yaml': 'name: Add\ntype: scoring\ngrading: {objective: max}\n',
    '.timelimit': '5\n',
    'data/sample/1.in': '1 2\n',
    'data/sample/1.ans': '3\n',
    'data/generator.sh': `#!/usr/bin/env bash
. ../../testdata_tools/gen.sh
use_solution add.cpp
compile gen.py
samplegroup
sample 1
group g1 40
limits 100
tc 1
tc small gen 10
group g2 60
include_group g1
tc large gen 1000000
tc_manual ../manual/zero.in
`,
    'data/gen.py': 'import sys\nmost, seed = map(int, sys.argv[1:])\nprint(seed % most + 1, most)\n',
    'manual/zero.in': '0 0\n',
    'submissions/accepted/add.cpp': ADD,
    'submissions/partially_accepted/small.py':
        'a, b = map(int, input().split())\nprint(a + b if b < 100 and b > 0 else 7)\n',
    'submissions/wrong_answer/samples.py': 'print(3)\n',
};

const RECORDER = {
    names: [] as string[],
    make: () => Promise.resolve('only recorded'),
    runScript(_what: string, { files }: ScriptRecipe): Promise<string> {
        this.names = files.map(({ name }) => name);
        return Promise.resolve('only recorded');
    },
};

const run = (name: string, ...args: readonly string[]) =>
    callCli([name, '--dir', `${name}-results`, '--mode', 'async', '-j', '1', '--timeout', '10', ...args], {
        cwd: folder,
    });
const flat = (text: string): string => text.replace(/\s+/g, ' ');

/** Tests of a tree with one package, `add`, and the tools beside it. */
async function writeTree(name: string, changes: Files = {}): Promise<void> {
    await write(name, { 'testdata_tools/gen.sh': GEN_SH });
    await write(`${name}/add`, { ...PACKAGE, ...changes });
}

const reasonOf = async (name: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(name, ...args);
    expect(stdout).toContain('none can run');
    return flat(stdout);
};

const SANDBOXES = ['bwrap', 'rlimit'];
const inPart = SANDBOXES.filter((sandbox) => isRun(sandbox === 'bwrap' ? 'quick' : 'slow'));

describe.each(inPart)('a package whose tests a shell script makes, under %s', (sandbox) => {
    it('is judged by the groups, the tests and the answers that the script makes, once', async () => {
        const name = `made-${sandbox}`;
        await writeTree(name);
        const first = await run(name, '--all-tests', '--sandbox', sandbox);
        expect(first.stderr).toContain(`generating the tests of ${name}/add with data/generator.sh`);
        expect(first.stdout).toMatch(/TPR +100 %[\s\S]*TNR +100 %/);
        expect(first.stdout).not.toContain('nexpected');
        const result = JSON.parse(await readFile(join(folder, `${name}-results/add.json`), 'utf8')) as Record<
            string,
            readonly { readonly result: { readonly score: number; readonly tests: readonly unknown[] } }[]
        >;
        const [solution] = result['solution_result'] ?? [];
        expect(solution?.result.score).toBe(100);
        // The sample; the sample again as a secret test, and a small one; both again, a large one, and a hand-written one.
        expect(solution?.result.tests).toHaveLength(7);
        const scores = (result['incorrect_solution_result'] ?? []).map(({ result: { score } }) => score);
        expect(scores.sort((a, b) => a - b)).toEqual([0, 40]);
        await rm(join(folder, `checkpoints/${name}-results/index.json`));
        const second = await run(name, '--all-tests', '--sandbox', sandbox);
        expect(second.stdout).toContain('Nothing left to do');
        expect(second.stderr).not.toContain('making');
        // The package itself is unchanged.
        expect((await readdir(join(folder, name, 'add/data'))).sort()).toEqual([
            'gen.py',
            'generator.sh',
            'sample',
        ]);
    });
});

describe.each(inPart)('a package that holds one half of some tests, under %s', (sandbox) => {
    it.each([
        ['an input', { 'data/secret/g1/001-small.in': '1 2\n' }],
        ['an answer', { 'data/secret/g1/001-small.ans': '3\n' }],
    ])('is judged by what its script makes where it has %s alone', async (what, half) => {
        const name = `${what.replace(' ', '-')}-alone-${sandbox}`;
        await writeTree(name, half);
        const { stdout, stderr } = await run(name, '--sandbox', sandbox);
        expect(stderr).toContain(`generating the tests of ${name}/add with data/generator.sh`);
        expect(stdout).toMatch(/TPR +100 %[\s\S]*TNR +100 %/);
    });

    it('is judged by what its script makes where its samples alone have no answers', async () => {
        const whole = { 'data/secret/g1/1.in': '1 2\n', 'data/secret/g1/1.ans': '3\n' };
        const name = `unanswered-${sandbox}`;
        await writeTree(name, { ...whole, 'data/sample/2.in': '2 2\n' });
        const script = 'for end in in ans; do echo 4 0 > secret/a.$end; done; echo 4 > secret/a.ans';
        await write(`${name}/add`, {
            'data/generator.sh': `#!/bin/bash\necho 4 > sample/2.ans\nrm -rf secret; mkdir secret; ${script}\n`,
        });
        const { stdout, stderr } = await run(name, '--sandbox', sandbox);
        expect(stderr).toContain(`generating the tests of ${name}/add with data/generator.sh`);
        expect(stdout).toMatch(/TPR +100 %[\s\S]*TNR +100 %/);
        await writeTree(`${name}-failing`, { ...whole, 'data/sample/2.in': '2 2\n' });
        await write(`${name}-failing/add`, { 'data/generator.sh': '#!/bin/bash\nexit 3\n' });
        expect(await reasonOf(`${name}-failing`, '--sandbox', sandbox)).toContain(
            'its samples could not be made by data/generator.sh: it ended with exit code 3',
        );
    });

    it('is left out where its script makes the others alone', async () => {
        const name = `some-${sandbox}`;
        await writeTree(name, {
            'data/secret/large.ans': '3\n',
            'data/generator.sh': '#!/bin/bash\necho 1 2 > secret/small.in\necho 3 > secret/small.ans\n',
        });
        expect(await reasonOf(name, '--sandbox', sandbox)).toContain(
            'its secret tests are not all made by data/generator.sh: the test secret/large has no .in file',
        );
    });
});

describe.each(isRun('slow') ? SANDBOXES : [])('a script that is wrong or hostile, under %s', (sandbox) => {
    it.each([
        ['ends with an error', 'echo no idea >&2; exit 3', /it ended with exit code 3: no idea/],
        ['makes nothing', 'rm -rf secret', /it generates no secret tests/],
        [
            'forks without end',
            'b() { b | b & }; b; sleep 2; exit 4',
            /ended with exit code|was stopped at its/,
        ],
        ['prints without end', 'yes', /it was stopped at its output limit/],
        [
            'links to files outside of the tests',
            'mkdir -p secret; ln -s /etc/hostname secret/a.in; ln -s /etc/hostname secret/a.ans',
            /data\/secret\/a\.(in|ans) is a link to something other than one of its test files/,
        ],
        [
            'links to files in a circle',
            'mkdir -p secret; ln -s b.in secret/a.in; ln -s a.in secret/b.in',
            /a link to something other than one of its test files/,
        ],
        [
            'makes files without end',
            'mkdir -p secret; i=0; while :; do i=$((i+1)); : > secret/$i.in; done',
            /files limit|more than 20000 files|more than \d+ files/,
        ],
        ['needs a tool that is not here', 'no-such-tool 1', /it needs no-such-tool, which is not installed/],
    ])('is left out where the script %s', async (what, script, message) => {
        const name = `${what.replaceAll(' ', '-')}-${sandbox}`;
        await writeTree(name, { 'data/generator.sh': `#!/bin/bash\n${script}\n` });
        const reason = await reasonOf(name, '--sandbox', sandbox);
        expect(reason).toMatch(message);
        expect(reason).toContain('could not be made by data/generator.sh: ');
        expect(await readdir(join(folder, `checkpoints/${name}-results/generated-tests`))).toEqual([]);
    });

    it('cannot be used to write elsewhere, or to read what is outside of the package', async () => {
        const name = `reach-${sandbox}`;
        const secret = join(folder, `${name}-secret.txt`);
        await writeFile(secret, 'nobody reads this\n', { mode: 0o600 });
        const script = `#!/bin/bash
mkdir -p secret
echo x > '${folder}/${name}-written' ; echo x > '${folder}/${name}/add/written'
{ cat '${secret}' || echo "1 2"; } > secret/a.in
cp sample/1.ans secret/a.ans
exit 0
`;
        await writeTree(name, { 'data/generator.sh': script });
        const { stdout } = await run(name, '--sandbox', sandbox);
        expect(stdout).toMatch(/TPR +100 %/);
        expect((await readdir(folder)).filter((each) => each.endsWith('-written'))).toEqual([]);
        expect(await readdir(join(folder, name, 'add'))).not.toContain('written');
        const kept = join(folder, `checkpoints/${name}-results/generated-tests`);
        const [digest = ''] = await readdir(kept);
        for (const file of await readdir(join(kept, digest)))
            expect(await readFile(join(kept, digest, file), 'utf8')).not.toContain('nobody reads this');
    });
});

describe.each(isRun('quick') ? ['bwrap'] : [])('a script that makes tests, under %s', () => {
    it('is not run where its tools are not in the tree that was named', async () => {
        await writeTree('apart');
        const reason = await reasonOf('apart/add', '--sandbox', 'rlimit');
        expect(reason).toContain(
            'its secret tests could not be made by data/generator.sh: it needs ../../testdata_tools/gen.sh, which is not in the folder that you named',
        );
    });

    it('is not run without a sandbox', async () => {
        await writeTree('bare');
        expect(await reasonOf('bare', '--sandbox', 'none')).toContain('under --sandbox bwrap or rlimit only');
    });

    it('is run again where its tools change, and only then', async () => {
        await writeTree('tools');
        const args = ['--sandbox', 'rlimit', '--limit', '1'];
        await run('tools', ...args);
        await write('tools', { 'testdata_tools/gen.sh': `${GEN_SH}\n# changed\n` });
        const again = await run('tools', ...args);
        expect(again.stderr).toContain('generating the tests of tools/add');
        // It makes the same tests, so nothing runs again.
        expect(again.stdout).toContain('Nothing left to do');
    });

    const findScript = async (name: string, where = name) => {
        const root = join(folder, where);
        const bounds = await realpath(join(folder, name.split('/')[0] ?? ''));
        return (await findPackage(root, where, { bounds, beside: null })).script;
    };

    const packageIn = (place: string): Record<string, string> =>
        Object.fromEntries(Object.entries(PACKAGE).map(([file, text]) => [`${place}${file}`, text]));

    it.each([
        ['an archive finds its tools beside the archive', packageIn('')],
        ['a folder of an archive finds its tools beside the archive', packageIn('add/')],
        [
            'an archive of a whole repository finds its tools in that',
            { ...packageIn('repo/add/'), 'repo/testdata_tools/gen.sh': GEN_SH },
        ],
    ])('in %s', async (what, files) => {
        const name = what.replaceAll(' ', '-');
        const isWhole = what.includes('whole');
        await write(name, isWhole ? {} : { 'testdata_tools/gen.sh': GEN_SH });
        await mkdir(join(folder, name), { recursive: true });
        zip(join(folder, name, 'add.zip'), files);
        const scriptOf = async (named: string): Promise<string | null> => {
            const [sample] = await loadAll(
                await openOne(join(folder, named), { testMaker: () => Promise.resolve(RECORDER) }),
            );
            return sample?.skip ?? null;
        };
        RECORDER.names = [];
        expect(await scriptOf(name)).toContain('could not be made by data/generator.sh: only recorded');
        expect(RECORDER.names).toContain('../testdata_tools/gen.sh');
        // Nothing indicates that the tree around an archive belongs to it.
        if (!isWhole)
            expect(await scriptOf(`${name}/add.zip`)).toContain('which is not in the folder that you named');
    });

    it('finds its tools by a name of their own, in the package, and those that it names by links', async () => {
        await write('own/add', {
            ...PACKAGE,
            'data/generator.sh':
                '. ../../_tools/gen.sh\nsource "../../shared/more.sh"\ncp ../../shared/a.txt .\n',
            '_tools/gen.sh': GEN_SH,
        });
        await write('own', { 'shared/more.sh': 'true\n', 'shared/a.txt': 'a', 'other/b.txt': 'b' });
        await symlink('../../../other/b.txt', join(folder, 'own/add/data/b.txt'));
        const script = await findScript('own', 'own/add');
        expect(script?.refused).toBeNull();
        const names = script?.files.map(({ name }) => name) ?? [];
        expect(names).toEqual(
            expect.arrayContaining([
                '../_tools/gen.sh',
                '../shared/more.sh',
                '../shared/a.txt',
                'data/b.txt',
            ]),
        );
        expect(names).not.toContain('../other/b.txt');
    });

    it.each(['generate.sh', 'gen.sh', 'generator'])('may be called %s', async (name) => {
        const { 'data/generator.sh': text = '', ...files } = PACKAGE;
        await write(`named-${name}/add`, { ...files, [`data/${name}`]: text });
        await write(`named-${name}`, { 'testdata_tools/gen.sh': GEN_SH });
        expect((await findScript(`named-${name}`, `named-${name}/add`))?.name).toBe(`data/${name}`);
    });

    it('is not looked for where the secret tests are there, and is where links to them lead nowhere', async () => {
        const tests = { 'data/secret/1.in': '1 1\n', 'data/secret/1.ans': '2\n' };
        await writeTree('whole', tests);
        expect(await findScript('whole', 'whole/add')).toBeNull();
        await symlink('gone.in', join(folder, 'whole/add/data/secret/2.in'));
        expect((await findScript('whole', 'whole/add'))?.name).toBe('data/generator.sh');
    });

    it('keeps what it made under a name that never changes', async () => {
        await write('golden/add', { 'problem.yaml': '', 'data/generator.sh': 'echo\n' });
        const script = await findScript('golden', 'golden/add');
        if (script === null) throw new Error('the package has lost its script');
        const recipe = await readScriptRecipe(script, 'golden/add');
        expect(recipe).toMatchObject({ script: 'data/generator.sh', folder: 'add' });
        expect(digestScript(recipe)).toBe('94be97a18450657d247873b876b021f1');
    });
});
