/*
 * Creates test/golden/0.1/directories with the real version 0.1: results directories for every kind of task, each with work left
 * to do. Run once: the output is committed, and never created again by another version.
 *
 *   node test/rig/make-golden.mjs <checkout of 0.1, built>
 *
 * `@root@` stands for the folder that a directory was created in; the test replaces it with its own.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';

const [version] = process.argv.slice(2);
if (version === undefined) throw new Error('usage: node test/rig/make-golden.mjs <checkout of 0.1, built>');
const bin = join(version, 'bin/resume-run.js');
const target = join(import.meta.dirname, '../golden/0.1/directories');

const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const write = (root, files) => {
    for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), text);
    }
};

/** Runs version 0.1 to completion. */
function run(root, args, code = 0) {
    const { status, stderr, stdout } = spawnSync(process.execPath, [bin, ...args], {
        cwd: root,
        encoding: 'utf8',
    });
    if (status !== code) throw new Error(`${args.join(' ')} exited ${status}: ${stdout}${stderr}`);
}

/** Starts version 0.1, and kills it and what it started once a result file holds this many entries. */
async function kill(root, args, file, entries) {
    const child = spawn(process.execPath, [bin, ...args, '-j', '1'], {
        cwd: root,
        detached: true,
        stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const path = join(root, 'results', file);
    const count = () => (existsSync(path) ? readFileSync(path, 'utf8').split('"fingerprint"').length - 1 : 0);
    while (count() < entries) await sleep(5);
    process.kill(-Number(child.pid), 'SIGKILL');
    await ended;
}

const DIRECTORIES = {
    /** Programs in plain rows: every verdict, a dataset edited between two starts, and a kill. */
    async programs(root) {
        const sum = 'a, b = map(int, input().split())\n';
        const sample = (id, slow) => ({
            id,
            time_limit: 1,
            memory_limit: '256 MiB',
            tests: [
                { input: '1 2\n', output: '3\n' },
                { input: '2000000000 2000000000\n', output: '4000000000\n' },
            ],
            solutions: [
                { language: 'PYTHON3', source: `${sum}print(a + b)  # ${id}\n` },
                {
                    language: 'CPP',
                    source: `// ${id}\n#include <iostream>\nint main() {\n    long long a, b;\n    std::cin >> a >> b;\n    std::cout << a + b;\n}\n`,
                },
                { language: 'PYTHON3', source: `${sum}${slow}print(a + b)\n` },
            ],
            incorrect_solutions: [
                { language: 'PYTHON3', source: `${sum}print(a - b)\n` },
                { language: 'CPP', source: 'int main() { return 0 }\n' },
                { language: 'PYTHON3', source: 'while True:\n    pass\n' },
                { language: 'PYTHON3', source: 'print(1 / 0)\n' },
                { language: 'PYTHON3', source: `${sum}print(a + b)  # accepted all the same\n` },
            ],
        });
        const slow = 'for i in range(3000000):\n    pass\n';
        const first = sample('sums/first', '');
        const old = {
            ...first,
            solutions: [...first.solutions, { language: 'PYTHON3', source: `${sum}print(b + a)\n` }],
        };
        const second = sample('sums/second', slow);
        second.solutions = Array.from({ length: 6 }, (_, at) => ({
            language: 'PYTHON3',
            source: `${sum}${slow}print(a + b)  # ${at}\n`,
        }));
        second.incorrect_solutions = second.incorrect_solutions.filter(
            ({ source }) => !source.startsWith('while'),
        );
        const last = { ...sample('sums/last', ''), incorrect_solutions: [] };
        const args = ['rows.jsonl', '-q'];
        write(root, { 'rows.jsonl': lines([old, second, last]) });
        run(root, [...args, '--only', 'sums/first']);
        // With one solution removed, its entry goes to superseded.jsonl.
        write(root, { 'rows.jsonl': lines([first, second, last]) });
        await kill(root, args, 'sums_second.json', 4);
    },

    /** What 0.1 skipped or judged by plain tokens, unlike later versions. */
    async formats(root) {
        const pickle = (text) => {
            const bytes = Buffer.from(text);
            const length = Buffer.alloc(4);
            length.writeUInt32LE(bytes.length);
            return deflateSync(
                Buffer.concat([Buffer.from([0x80, 4, 0x58]), length, bytes, Buffer.from('.')]),
            ).toString('base64');
        };
        const tests = JSON.stringify([{ input: '4\n', output: '4\n', testtype: 'stdin' }]);
        const echo = 'print(input())\n';
        write(root, {
            'contests-plus.jsonl': lines([
                {
                    title: 'echo',
                    time_limit: 2000,
                    memory_limit: 256,
                    test_cases: [{ input: '1\n', output: '1\n' }],
                    correct_submissions: [
                        { code: echo, language: 'Python 3' },
                        { code: `${echo}# fast\n`, language: 'PyPy 3-64' },
                        {
                            code: '#include <iostream>\nint main() {\n    int x;\n    std::cin >> x;\n    std::cout << x;\n}\n',
                            language: 'GNU C++17',
                        },
                    ],
                    incorrect_submissions: [{ code: 'print(2)\n', language: 'Python 2' }],
                },
            ]),
            'code-contests.jsonl': lines([
                {
                    name: 'half',
                    public_tests: { input: ['1\n'], output: ['0.5\n'] },
                    private_tests: { input: [], output: [] },
                    generated_tests: { input: [], output: [] },
                    time_limit: { seconds: 1, nanos: 0 },
                    solutions: { language: [3], solution: ['print(float(input()) / 2)\n'] },
                    incorrect_solutions: { language: [3], solution: ['print(0.5000000001)\n'] },
                },
            ]),
            'live-code-bench.jsonl': lines([
                {
                    question_id: 'lcb/echo',
                    question_content: 'Print it.',
                    starter_code: '',
                    public_test_cases: JSON.stringify([{ input: '3\n', output: '3\n', testtype: 'stdin' }]),
                    private_test_cases: pickle(tests),
                    metadata: '{}',
                    solutions: [{ language: 'PYTHON3', source: echo }],
                },
            ]),
        });
        run(root, ['contests-plus.jsonl', 'code-contests.jsonl', 'live-code-bench.jsonl', '-q']);
    },

    /** A command for each row: a failure that the next start retries, and a kill. */
    async exec(root) {
        const rows = ['a', 'b', 'c'].map((id, at) => ({
            id: `row/${id}`,
            groups: {
                seed: Array.from({ length: 4 }, (_, index) => ({
                    seed: index + 10 * at,
                    rate: 0.1 * index,
                    word: 'é "x"',
                })),
            },
        }));
        const work = [
            "import { existsSync, readFileSync } from 'node:fs';",
            '',
            '// The task comes on stdin; `broken` and `slow` are files that were there when 0.1 ran.',
            "const { seed } = JSON.parse(readFileSync(0, 'utf8'));",
            "if (existsSync('broken') && seed === 2) process.exit(3);",
            "if (existsSync('slow') && seed > 20) await new Promise((resolve) => setTimeout(resolve, 60_000));",
            'if (seed === 11) process.exitCode = 1;',
            'console.log(JSON.stringify({ square: seed * seed }));',
            '',
        ].join('\n');
        write(root, { 'rows.jsonl': lines(rows), 'work.mjs': work, broken: '', slow: '' });
        const args = [
            'rows.jsonl',
            '--executor',
            'exec',
            '--exit-verdict',
            '1=WrongAnswer',
            '--retries',
            '0',
            '-q',
        ];
        await kill(root, [...args, '--', 'node', 'work.mjs'], 'row_c.json', 1);
        rmSync(join(root, 'broken'));
        rmSync(join(root, 'slow'));
    },

    /** A module: numbers that 0.1 rounded, an archived sample, samples that were not begun. */
    async module(root) {
        const rows = ['a', 'b', 'c'].map((id, at) => ({
            id: `cell/${id}`,
            groups: { iteration: Array.from({ length: 3 }, (_, index) => ({ seed: index + 10 * at })) },
        }));
        const numbers =
            '{"id": "numbers", "groups": {"main": [{"seed": 9007199254740993}, {"seed": 1.0}, {"seed": 1e2}, {"rate": 1e400}]}}\n';
        const work =
            'export default function run({ id, index, input }) {\n    return { id, index, seen: JSON.stringify(input), accepted: input.seed !== 1 };\n}\n';
        write(root, { 'rows.jsonl': `${lines(rows)}${numbers}`, 'work.mjs': work });
        const args = ['rows.jsonl', '--executor', 'module', '--module', 'work.mjs', '-q'];
        run(root, [...args, '--only', 'cell/a']);
        run(root, ['archive', '--dir', 'results', '--to', 'results-1.tar']);
        run(root, [...args, '--only', 'numbers', '--only', 'cell/b']);
    },

    /** Problem packages: a limit computed from the accepted submissions, flags for a validator, a kill. */
    async packages(root) {
        const double = 'print(int(input()) * 2)\n';
        const spin = 'for i in range(2000000):\n    pass\n';
        write(root, {
            'packages/double/problem.yaml': 'name: Double\nlimits:\n    time_multiplier: 5\n',
            'packages/double/data/sample/1.in': '2\n',
            'packages/double/data/sample/1.ans': '4\n',
            'packages/double/data/secret/1.in': '21\n',
            'packages/double/data/secret/1.ans': '42\n',
            'packages/double/submissions/accepted/plain.py': double,
            'packages/double/submissions/accepted/slow.py': spin + double,
            'packages/double/submissions/wrong_answer/same.py': 'print(input())\n',
            'packages/double/submissions/wrong_answer/triple.py': `${spin}print(int(input()) * 3)\n`,
            'packages/double/submissions/run_time_error/none.py': `${spin}print(int(input()) // 0)\n`,
            'packages/half/problem.yaml':
                'problem_format_version: 2023-07-draft\nname: Half\nuuid: 0\nlimits:\n    time_limit: 2\n',
            'packages/half/data/secret/1.in': '1\n',
            'packages/half/data/secret/1.ans': '0.5\n',
            'packages/half/data/secret/test_group.yaml': 'output_validator_flags: float_tolerance 1e-3\n',
            'packages/half/submissions/accepted/half.py': 'print(int(input()) / 2 + 0.0001)\n',
            'packages/half/submissions/wrong_answer/third.py': 'print(int(input()) / 3)\n',
        });
        const args = ['packages', '-q'];
        await kill(root, args, 'double.json', 3);
    },
};

/**
 * Replaces the folder's name in what was written, and removes what only concerns this machine, such as locks; clock times are
 * kept.
 */
function clean(folder, root) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isDirectory()) continue;
        if (/^lock\.|\.tmp$|^\./.test(entry.name)) {
            rmSync(path);
            continue;
        }
        const text = readFileSync(path);
        for (const own of [homedir(), version, process.cwd()]) {
            if (text.includes(`${own}/`)) throw new Error(`${path} names ${own}`);
        }
        if (text.includes(root)) writeFileSync(path, text.toString().replaceAll(root, '@root@'));
    }
}

rmSync(target, { recursive: true, force: true });
for (const [name, make] of Object.entries(DIRECTORIES)) {
    const root = mkdtempSync(join(tmpdir(), 'golden-'));
    await make(root);
    clean(root, root);
    cpSync(root, join(target, name), { recursive: true });
    rmSync(root, { recursive: true, force: true });
    console.log(`made ${name}`);
}
