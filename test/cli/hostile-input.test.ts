import {
    closeSync,
    existsSync,
    ftruncateSync,
    openSync,
    readdirSync,
    readFileSync,
    writeFileSync,
    writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliResult, readResults, runCli, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { LONG } from '../rig/long.js';

const program = (code: string) => [{ language: 'PYTHON3', source: code }];
const row = (id: string, more: object = {}) => ({
    id,
    tests: [{ input: '1\n', output: '1\n' }],
    solutions: program('print(input())'),
    ...more,
});

async function judge(rows: readonly (object | string)[], ...more: readonly string[]) {
    const cwd = tempDir();
    const text = rows.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
    writeFileSync(join(cwd, 'data.jsonl'), `${text}\n`);
    const result = await callCli(['data.jsonl', '--dir', 'out', '--quiet', '-j', '1', ...more], { cwd });
    expect(result.stderr, 'no stack for a user').not.toMatch(/^\s+at .*\.js:\d+/m);
    return { ...result, cwd, out: join(cwd, 'out') };
}

describe('hostile rows', () => {
    it('ids that are paths, devices or worse stay in the directory', async () => {
        const files: Readonly<Record<string, string>> = {
            '../../x': '%2E._.._x.json',
            '/etc/x': '_etc_x.json',
            CON: '%43ON.json',
            'a\0b': 'a%00b.json',
            'ä\r\nß': 'ä%0D%0Aß.json',
            ['__proto__']: '__proto__.json',
            '.': '%2E.json',
            '..': '%2E..json',
        };
        const { code, cwd, out, stderr } = await judge(Object.keys(files).map((id) => row(id)));
        expect(code, stderr).toBe(0);
        expect(readdirSync(cwd).sort()).toEqual(['checkpoints', 'data.jsonl', 'out']);
        expect(readdirSync(out).sort()).toEqual(Object.values(files).sort());
        for (const [id, file] of Object.entries(files)) {
            expect(readResults(out).get(file)).toMatchObject({ id, progress: { is_complete: true } });
        }
    });

    it('an id of 10,000 characters is one line of error', async () => {
        const { code, stderr, out } = await judge([row('x'.repeat(10_000))]);
        expect(code, stderr).toBe(2);
        expect(stderr).toMatch(
            /^resume-run: data\.jsonl:1: id: expected an id of at most 1000 characters.*\n$/,
        );
        expect(existsSync(out)).toBe(false);
    });

    it('keys of prototypes change nothing', async () => {
        const { code, out, stderr } = await judge([
            `{"__proto__":{"is_complete":true},"constructor":{"prototype":{"x":1}},${JSON.stringify(row('a')).slice(1)}`,
        ]);
        expect(code, stderr).toBe(0);
        expect(JSON.stringify(readResults(out).get('a.json'))).toContain('"passed":true');
        expect(Object.keys(Object.prototype)).toEqual([]);
    });

    it('two rows of one id are one line of error', async () => {
        const { code, stderr } = await judge([row('a'), row('a', { solutions: program('print(2)') })]);
        expect(code).toBe(2);
        expect(stderr).toContain('a');
    });

    it('CRLF in tests, and bytes that are not UTF-8 in what a program prints', async () => {
        const code = 'import os\nos.write(1, b"1\\xff\\x00\\r\\n")';
        const { code: exit, out } = await judge([
            row('a', { tests: [{ input: '1\r\n', output: '1\r\n' }] }),
            row('b', { solutions: [], incorrect_solutions: program(code) }),
        ]);
        expect(exit).toBe(0);
        expect(JSON.stringify(readResults(out).get('b.json'))).toContain('1�\\u0000');
    });

    it('no tests: skipped with the reason, in no rate; no solutions: complete', async () => {
        const { code, out, stderr } = await judge([row('a', { tests: [] }), row('b', { solutions: [] })]);
        expect(code, stderr).toBe(0);
        const [noTests, noSolutions] = ['a.json', 'b.json'].map((name) => readResults(out).get(name));
        expect(noTests).toMatchObject({
            skipped: [{ group: 'solution', index: 0, reason: 'no tests to judge it by' }],
            solution_result: [],
            progress: { is_complete: true, total_solutions: 0 },
        });
        expect(noSolutions).toMatchObject({ progress: { is_complete: true, completed_solutions: 0 } });
    });
});

/** Runs the binary and records its peak memory in bytes; 0 if there is no /proc to read it from. */
async function withPeak(args: readonly string[], cwd: string): Promise<CliResult & { peak: number }> {
    const { child, result } = startCli(args, { cwd });
    let peak = 0;
    const timer = setInterval(() => {
        try {
            const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
            peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
        } catch {
            // It has ended, or there is no /proc.
        }
    }, 10);
    try {
        return { ...(await result), peak };
    } finally {
        clearInterval(timer);
    }
}

describe('sizes beyond all measure, through the real binary', () => {
    const seen = process.platform === 'linux';

    it('a line longer than any row may be is one line of error, in bounded memory', async () => {
        const cwd = tempDir();
        const file = openSync(join(cwd, 'data.jsonl'), 'w');
        writeSync(file, `${JSON.stringify(row('a'))}\n{"id":"`);
        // A hole that takes no disk space. Rows may have up to 256 MiB.
        ftruncateSync(file, LONG ? 2 ** 30 : 300 * 2 ** 20);
        closeSync(file);
        const { code, stderr, peak } = await withPeak(['data.jsonl', '--dir', 'out', '-q'], cwd);
        expect(code, stderr).toBe(2);
        expect(stderr).toContain('data.jsonl:2');
        expect(stderr.trim().split('\n')).toHaveLength(1);
        if (seen) expect(peak).toBeGreaterThan(0);
        expect(peak).toBeLessThan(900e6);
    });

    it('an expected output of many megabytes is compared, and a program that prints as much is bounded', async () => {
        const cwd = tempDir();
        const lines = (LONG ? 100e6 : 16e6) / 8;
        const output = '1234567\n'.repeat(lines);
        const print = (last: string): string =>
            `import sys\nfor i in range(${lines / 10_000 - 1}):\n    sys.stdout.write("1234567\\n" * 10000)\nsys.stdout.write("1234567\\n" * 9999 + "${last}\\n")`;
        const big = row('big', {
            tests: [{ input: '', output }],
            solutions: program(print('1234567')),
            incorrect_solutions: [...program(print('1234568')), ...program('print(1234567)')],
        });
        writeFileSync(join(cwd, 'data.jsonl'), `${JSON.stringify(big)}\n`);
        const args = ['data.jsonl', '--dir', 'out', '-q', '-j', '1', '--max-output', '200'];
        const { code, stderr, peak } = await withPeak(args, cwd);
        expect(code, stderr).toBe(0);
        const results = JSON.stringify(readResults(join(cwd, 'out')).get('big.json'));
        expect([...results.matchAll(/"verdict":"(\w+)"/g)].map(([, verdict]) => verdict)).toContain(
            'Accepted',
        );
        expect(results).toContain('"WrongAnswer"');
        expect(results.length).toBeLessThan(1e6);
        if (seen) expect(peak).toBeGreaterThan(0);
        // The whole row is held in memory: its bytes, its text, and the parsed output.
        expect(peak).toBeLessThan(LONG ? 900e6 : 450e6);
    });
});

it('takes 3,000 nested lists for a bad row, and in what a module returns for a failure of that task alone', async () => {
    const cwd = tempDir();
    const deep = '['.repeat(3000) + ']'.repeat(3000);
    writeFileSync(join(cwd, 'list.jsonl'), `{"n":1}\n{"n":${deep}}\n{"n":3}\n`);
    const code = `export default ({ input }) => ({ v: input.n === 3 ? JSON.parse('${deep}') : 1 });\n`;
    writeFileSync(join(cwd, 'm.mjs'), code);
    const start = ['list.jsonl', '--executor', 'module', '--module', './m.mjs', '--mode', 'async'];
    const refused = await runCli(start, { cwd });
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toContain('list.jsonl:2: nested more than 1000 levels deep');
    const rest = await runCli([...start, '--skip-bad-rows', '--retries', '0', '--json'], { cwd });
    expect(rest.code, rest.stderr).toBe(1);
    expect(rest.stdout).toContain('"message":"the result is nested more than 1000 levels deep"');
    expect(rest.stdout).toContain('"committed":1,"failed":1');
});
