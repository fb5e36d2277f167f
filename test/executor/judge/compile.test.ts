import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findLanguages } from '../../../src/executor/judge/available.js';
import { CompileCache } from '../../../src/executor/judge/compile-cache.js';
import { COMPILE_LIMITS } from '../../../src/executor/judge/limits.js';
import { findJavaClass } from '../../../src/executor/judge/java-class.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');
const { missing } = await findLanguages({ overrides: {}, python2As3: false }, kind);
for (const [tag, why] of missing) console.log(`skipped ${tag}: ${why}`);

describe('compiling', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());

    it('compiles the same source once', async () => {
        const compileCache = join(rig.folder, 'compiled');
        const rigOfCache = new JudgeRig(kind, { compileCache });
        const compiled = (): string[] => readdirSync(compileCache).filter((name) => name !== '.trimmed');
        const source = 'int main(void) { return 0; }\n';
        await rigOfCache.result({ language: 'C', source });
        const before = compiled();
        expect(before).toHaveLength(1);
        await rigOfCache.result({ language: 'C', source });
        expect(compiled()).toEqual(before);
        const program = join(compileCache, before[0] ?? '', 'files', 'main');
        expect(statSync(program).mode & 0o222).toBe(0);
        await rigOfCache.close();
    });

    it('takes several files', async () => {
        const result = await rig.result({
            language: 'CPP',
            source: '#include "sum.h"\n#include <cstdio>\nint main() { printf("%d", sum(1, 2)); }\n',
            files: [
                { name: 'sum.h', text: 'int sum(int, int);\n' },
                { name: 'lib/sum.cpp', text: 'int sum(int a, int b) { return a + b; }\n' },
            ],
            tests: [['', '3']],
        });
        expect(result.verdict).toBe('Accepted');
        const python = await rig.result({
            language: 'PYTHON3',
            source: 'import other\nprint(other.X)\n',
            files: [{ name: 'other.py', text: 'X = 3\n' }],
            tests: [['', '3']],
        });
        expect(python.verdict).toBe('Accepted');
    });

    it('takes C++ old and new, with the extensions of GNU', async () => {
        const [old, modern] = await Promise.all([
            rig.result({
                language: 'CPP',
                source: '#include <cstdio>\nstruct S { S() = delete; int x; };\nint main() { S s{3}; typeof(s.x) y = s.x; printf("%d", y); }',
                tests: [['', '3']],
            }),
            rig.result({
                language: 'CPP',
                source: '#include <algorithm>\n#include <cstdio>\nint main() { int v[] = {3, 1}; std::ranges::sort(v); printf("%d", v[1]); }',
                tests: [['', '3']],
            }),
        ]);
        expect([old.verdict, modern.verdict]).toEqual(['Accepted', 'Accepted']);
    });

    it('lets native programs start many threads', async () => {
        const source = `#include <thread>
#include <vector>
#include <atomic>
#include <cstdio>
std::atomic<int> n{0};
int main() {
    std::vector<std::thread> all;
    for (int i = 0; i < 40; i++) all.emplace_back([] { n++; });
    for (auto &one : all) one.join();
    printf("%d", n.load());
}
`;
        const result = await rig.result({ language: 'CPP', source, tests: [['', '40']] });
        expect(result.verdict).toBe('Accepted');
    });

    it('leaves main files in the folders that they stand in', async () => {
        const result = await rig.result({
            language: 'CPP',
            file: 'src/app/main.cpp',
            source: '#include "../sum.h"\n#include <cstdio>\nint main() { printf("%d", sum(1, 2)); }\n',
            files: [{ name: 'src/sum.h', text: 'inline int sum(int a, int b) { return a + b; }\n' }],
            tests: [['', '3']],
        });
        expect(result.verdict).toBe('Accepted');
    });

    it("shows the compiler's first lines", async () => {
        const result = await rig.result({ language: 'CPP', source: 'int main() { return nothing; }\n' });
        expect(result.tests).toHaveLength(1);
        expect(result.tests[0]?.exec_info).toMatchObject({ status: 'Failed', run_result: null });
        expect(result.tests[0]?.exec_info.compile_result?.stderr).toMatch(/main\.cpp:1:\d+: error/);
        expect(result.tests[0]?.exec_info.compile_result?.return_code).toBe(1);
    });

    it.skipIf(missing.has('JAVA'))('finds the class of a package, beside others', async () => {
        const source = `package a.b; // class Wrong {
/* public class Wrong2 { public static void main(String[] a) {} } */
class Helper { static String text() { return "public class Not {"; } }
public final class Right { static class In { } public static void main(final String... args) { System.out.println(Helper.text()); } }
`;
        const result = await rig.result({ language: 'JAVA', source, tests: [['', 'public class Not {']] });
        expect(result.verdict).toBe('Accepted');
    });

    it('makes a CompileError of a compiler that is stopped at its own limit, once that happens again', async () => {
        const limits = { ...COMPILE_LIMITS, cpu: 1, memory: 128 * 1024 ** 2 };
        const other = new JudgeRig(kind, {}, limits);
        const bomb = { language: 'C', source: '#include "/dev/zero"\nint main(void) {}\n' };
        const first = await other.run(bomb);
        expect(inWords(first)).toBe('CompileError (compile-limit)');
        expect(inWords(await other.run({ ...bomb, confirming: 'compile-limit', settles: false }))).toBe(
            'CompileError (compile-limit)',
        );
        const again = await other.run({ ...bomb, confirming: 'compile-limit' });
        expect(inWords(again)).toBe('CompileError');
        expect(JSON.stringify(again)).toMatch(/the C compiler was stopped at its (?:cpu|memory) limit/);
        await other.close();
    });

    it('makes a CompileError of what reads like trouble of the machine, once that happens again', async () => {
        const source = 'int puts(const char *);\nint main(void) { puts("Cannot allocate memory") }\n';
        const quoted = { language: 'C', source };
        expect(inWords(await rig.run(quoted))).toBe('CompileError (machine)');
        expect(inWords(await rig.run({ ...quoted, confirming: 'machine' }))).toBe('CompileError');
    });

    it.each([
        ['PYTHON3', 'print "old"\n', /SyntaxError/],
        ['PYTHON3', 'def f():\nprint(1)\n', /IndentationError/],
        ['JAVASCRIPT', 'let x = ;\n', /SyntaxError/],
        ['JAVA', 'public class Main { static void run() {} }\n', /Main method not found/],
    ])('calls %s that its interpreter refuses a CompileError: %j', async (language, source, message) => {
        if (missing.has(language)) return console.log(`skipped ${language}: ${missing.get(language)}`);
        const result = await rig.result({ language, source, limits: { time: 10 } });
        expect(result.verdict).toBe('CompileError');
        expect(result.tests[0]?.exec_info.compile_result?.stderr).toMatch(message);
    });

    it.each([
        ['that it makes itself', 'eval("1 +")\n'],
        ['that it only prints', 'import sys\nsys.stderr.write("SyntaxError: invalid syntax")\nsys.exit(1)\n'],
    ])('leaves a syntax error %s a RuntimeError', async (_, source) => {
        expect((await rig.result({ language: 'PYTHON3', source, limits: { time: 10 } })).verdict).toBe(
            'RuntimeError',
        );
    });

    it('calls a broken compiler a failure', async () => {
        const bomb =
            'template <int N> struct T { static const int v = T<N - 1>::v + T<N - 2>::v; T<N - 1> a; };\n';
        expect(inWords(await rig.run({ language: 'CPP', source: `${bomb}int main() {}\n` }))).toBe(
            'Accepted',
        );
        const broken = new JudgeRig(kind, { languages: { cpp: { compile: ['g++', '--no-such-option'] } } });
        const outcome = await broken.run({ language: 'CPP', source: 'int main() {}\n' });
        expect(inWords(outcome)).toMatch(
            /^failure compiler: the C\+\+ compiler .* cannot compile a hello-world/,
        );
        await broken.close();
    });

    it.each([
        ['by PyPy where it is found', { pypy3: { run: ['sh', '-c', 'echo pypy'] } }, 'PYPY3', 'pypy'],
        ['by CPython where it is not', { pypy3: { run: ['no-such-pypy', '{source}'] } }, 'PYPY3', 'cpython'],
        ['as the user says', { python3: { run: ['sh', '-c', 'echo own'] } }, 'PYPY3', 'own'],
        ['by CPython, outside of packages', { pypy3: { run: ['sh', '-c', 'echo pypy'] } }, null, 'cpython'],
    ] as const)('runs Python 3 of problem packages %s', async (_, languages, preferred, printed) => {
        const other = new JudgeRig(kind, { languages });
        const result = await other.result({
            language: 'PYTHON3',
            ...(preferred === null ? {} : { preferred }),
            source: 'print("cpython")\n',
            tests: [['', printed]],
        });
        expect(result.verdict).toBe('Accepted');
        await other.close();
    });

    it('takes languages from the configuration', async () => {
        const other = new JudgeRig(kind, {
            languages: { shell: { run: ['sh', '{source}'], extensions: ['.sh'] } },
        });
        const result = await other.result({ language: 'SHELL', source: 'echo 3\n', tests: [['', '3']] });
        expect(result.verdict).toBe('Accepted');
        await other.close();
    });

    it('says what has no toolchain', async () => {
        expect(inWords(await rig.run({ language: 'BRAINFUCK', source: '+' }))).toBe(
            'failure compiler: no toolchain for BRAINFUCK: no such language in the table',
        );
    });

    it('keeps the cache within its size, oldest first', async () => {
        const root = join(rig.folder, 'cache');
        mkdirSync(root);
        const cache = new CompileCache(root);
        const result = {
            status: 'Finished',
            execution_time: 0,
            return_code: 0,
            stdout: '',
            stderr: '',
        } as const;
        for (const key of ['a', 'b', 'c']) {
            await cache.put(key, [{ name: 'main', mode: 0o755, content: Buffer.alloc(1000) }], result);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await cache.get('a');
        await cache.trim(2600);
        expect(readdirSync(root).sort()).toEqual(['a', 'c']);
        writeFileSync(join(root, 'a', 'manifest.json'), '{');
        expect(await cache.get('a')).toBeNull();
    });

    it('is looked through once an hour at most', async () => {
        const root = join(rig.folder, 'hourly');
        const cache = new CompileCache(root);
        await cache.trimNowAndThen();
        expect(existsSync(root)).toBe(false);
        const stale = (name: string): void => {
            mkdirSync(join(root, name), { recursive: true });
            utimesSync(join(root, name), 1, 1);
        };
        stale('building-1');
        await cache.trimNowAndThen();
        expect(readdirSync(root)).toEqual(['.trimmed']);
        stale('building-2');
        await cache.trimNowAndThen();
        expect(readdirSync(root).sort()).toEqual(['.trimmed', 'building-2']);
        utimesSync(join(root, '.trimmed'), 1, 1);
        await cache.trimNowAndThen();
        expect(readdirSync(root)).toEqual(['.trimmed']);
    });
});

describe('findJavaClass', () => {
    it.each([
        ['class A { public static void main(String[] a) {} }', { fileName: 'Main.java', mainClass: 'A' }],
        ['public class B { }', { fileName: 'B.java', mainClass: null }],
        [
            'class A {} public class B { public static void main(String a[]) {} }',
            { fileName: 'B.java', mainClass: 'B' },
        ],
        [
            'public class B {} class A { static public void main(String[] a) {} }',
            { fileName: 'B.java', mainClass: 'A' },
        ],
        [
            '@Deprecated public final class B { static final void main(String[] x) {} }',
            { fileName: 'B.java', mainClass: 'B' },
        ],
        [
            'package p.q;\npublic enum E { X; public static void main(String[] a) {} }',
            { fileName: 'E.java', mainClass: 'p.q.E' },
        ],
        [
            'import java.util.*;\nclass Node<T extends List> { int x; }\nclass M { static void main(String[] a) {} }',
            { fileName: 'Main.java', mainClass: 'M' },
        ],
        ['', { fileName: 'Main.java', mainClass: null }],
    ])('%s', (source, expected) => {
        expect(findJavaClass(source)).toEqual(expected);
    });
});
