import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SandboxKind } from '../../../src/executor/descriptor.js';
import { findLanguages } from '../../../src/executor/judge/available.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import type { Limits } from '../../../src/model/limits.js';
import { LONG } from '../../rig/long.js';
import { isRun } from '../../rig/parts.js';
import { inWords, JudgeRig } from './judging.js';

const SUM: readonly (readonly [string, string])[] = [
    ['1 2\n', '3\n'],
    ['10 20\n', '30\n'],
    ['5 5\n', '10\n'],
];

/** Compiled once, and gets the verdict that its input names, because a Java compiler takes two seconds of CPU time. */
const JAVA_BY_WORD = `import java.util.*;
class Other {}
class Solution { public static void main(String[] a) { switch (new Scanner(System.in).next()) {
    case "WrongAnswer": System.out.println(4); break;
    case "TimeLimitExceeded": while (true) {}
    case "MemoryLimitExceeded": List<byte[]> l = new ArrayList<>(); while (true) l.add(new byte[1 << 20]);
    case "OutputLimitExceeded": String s = "x".repeat(1000); while (true) System.out.println(s);
    case "RuntimeError": throw new RuntimeException();
} } }
`;

/** Programs by language and by the verdict that they must get on `SUM`, or on an input that names it. */
const PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    PYTHON3: {
        Accepted: 'print(sum(map(int, input().split())))\n',
        WrongAnswer: 'print(3)\n',
        TimeLimitExceeded: 'while True: pass\n',
        MemoryLimitExceeded: 'x = []\nwhile True: x.append(bytearray(1 << 20))\n',
        OutputLimitExceeded: 'while True: print("x" * 1000)\n',
        RuntimeError: 'import sys\nsys.exit(3)\n',
    },
    CPP: {
        Accepted: '#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }\n',
        WrongAnswer: '#include <cstdio>\nint main() { puts("3"); }\n',
        TimeLimitExceeded: 'int main() { for (volatile int i = 0;; i++) {} }\n',
        MemoryLimitExceeded:
            '#include <vector>\n#include <cstring>\nint main() { std::vector<char *> v; for (;;) { v.push_back(new char[1 << 20]); memset(v.back(), 1, 1 << 20); } }\n',
        OutputLimitExceeded: '#include <cstdio>\nint main() { for (;;) puts("xxxxxxxxxxxxxxxx"); }\n',
        RuntimeError: 'int main() { *(volatile int *)0 = 1; }\n',
        CompileError: 'int main() { return }\n',
    },
    C: {
        Accepted:
            '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d", a + b); }\n',
        RuntimeError: '#include <stdlib.h>\nint main(void) { abort(); }\n',
        CompileError: 'int main(void) { return x; }\n',
    },
    JAVA: {
        Accepted:
            'import java.util.*;\npublic class Adder { public static void main(String[] a) { Scanner s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }\n',
        WrongAnswer: JAVA_BY_WORD,
        TimeLimitExceeded: JAVA_BY_WORD,
        MemoryLimitExceeded: JAVA_BY_WORD,
        OutputLimitExceeded: JAVA_BY_WORD,
        RuntimeError: JAVA_BY_WORD,
        CompileError: 'public class Main { int x = ; }\n',
    },
    JAVASCRIPT: {
        Accepted:
            'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a + b);\n',
        RuntimeError: 'throw new Error("no");\n',
    },
};

/** Correct programs that open their standard streams again by name, as many do. */
const BY_NAME: Readonly<Record<string, string>> = {
    PYTHON3:
        'a, b = open("/dev/stdin").read().split()\nprint(int(a) + int(b), file=open("/dev/stdout", "w"))\nopen("/dev/stderr", "w").write("well")\n',
    CPP: '#include <fstream>\nint main() { int a, b; std::ifstream("/dev/stdin") >> a >> b; std::ofstream("/dev/stdout") << a + b; }\n',
    C: '#include <stdio.h>\nint main(void) { int a, b; freopen("/dev/stdin", "r", stdin); scanf("%d %d", &a, &b); printf("%d", a + b); }\n',
    JAVASCRIPT:
        'const [a, b] = require("fs").readFileSync("/dev/stdin", "utf8").split(" ").map(Number);\nrequire("fs").writeFileSync("/dev/stdout", String(a + b));\n',
};

/** Habits of real submissions that work on other judges: [what, language, source]. All read `SUM`. */
const HABITS: readonly (readonly [what: string, language: string, source: string])[] = [
    [
        'prints more than a pipe holds and exits',
        'JAVASCRIPT',
        'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a + b + " ".repeat(300000));\nprocess.exit(0);\n',
    ],
    [
        'mixes both ways to write',
        'JAVASCRIPT',
        'const fs = require("fs");\nconst [a, b] = fs.readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(" ".repeat(200000));\nfs.writeSync(1, String(a + b));\n',
    ],
    [
        'prints when it exits',
        'JAVASCRIPT',
        'const lines = [];\nconst rl = require("readline").createInterface({ input: process.stdin });\nrl.on("line", (line) => lines.push(line)).on("close", () => {\n    const [a, b] = lines[0].split(" ").map(Number);\n    process.on("exit", () => console.log(" ".repeat(200000) + (a + b)));\n});\n',
    ],
    [
        'raises its stack to infinity',
        'PYTHON3',
        'import resource, sys\nresource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\nsys.setrecursionlimit(10**6)\nprint(sum(map(int, input().split())))\n',
    ],
    [
        'asks who it is',
        'PYTHON3',
        'import getpass\ngetpass.getuser()\nprint(sum(map(int, input().split())))\n',
    ],
    [
        'raises its stack',
        'CPP',
        '#include <sys/resource.h>\n#include <cstdio>\nint main() { rlimit r; getrlimit(RLIMIT_STACK, &r); r.rlim_cur = 512 << 20; if (setrlimit(RLIMIT_STACK, &r)) return 1; int a, b; scanf("%d %d", &a, &b); printf("%d", a + b); }\n',
    ],
    [
        'has a class named in its own script',
        'JAVA',
        'public class L\u00f6sung { public static void main(String[] a) { java.util.Scanner s = new java.util.Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }\n',
    ],
];

/** Language dialects are independent of the sandbox, so they are judged in only one. */
const DIALECTS: typeof HABITS = [
    [
        'is C++14: a global size',
        'CPP',
        '#include <cstdio>\n#include <iterator>\nusing namespace std;\nint size, data[10];\nint main() { scanf("%d %d", &data[0], &size); size += data[0]; printf("%d", size); }\n',
    ],
    [
        'is C++11: gets',
        'CPP',
        '#include <cstdio>\nint main() { char s[99]; auto p = gets(s); int a, b; sscanf(p, "%d %d", &a, &b); printf("%d", a + b); }\n',
    ],
    [
        'is C++98: next',
        'CPP',
        '#include <cstdio>\n#include <iterator>\nusing namespace std;\nint next[5], prev[5];\nint main() { scanf("%d %d", &next[0], &prev[0]); printf("%d", next[0] + prev[0]); }\n',
    ],
    [
        'is C++23',
        'CPP',
        '#include <cstdio>\n#include <string_view>\nint main() { int a, b; scanf("%d %d", &a, &b); printf("%d", std::string_view("x").contains("x") ? a + b : 0); }\n',
    ],
    [
        'has a main beside the public one',
        'JAVA',
        'class Node { public static void main(String[] a) { System.out.println("test"); } }\npublic class Sum { public static void main(String[] a) { java.util.Scanner s = new java.util.Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }\n',
    ],
];

/** Small limits for programs that must exceed them, so that they do so sooner. */
const LIMITS_TO_EXCEED: Readonly<Record<string, Partial<Limits>>> = {
    TimeLimitExceeded: { time: 0.5 },
    MemoryLimitExceeded: { memory: 64 * 1024 ** 2 },
};

/**
 * A JVM takes half a second to start and meets the same limits as any program: of its verdicts only these are tried in every
 * sandbox.
 */
const JAVA_EVERYWHERE: ReadonlySet<string> = new Set(['Accepted', 'MemoryLimitExceeded']);

const HABIT_TESTS = LONG ? SUM : SUM.slice(0, 1);

/**
 * Compiled in every sandbox that sets limits; other programs are compiled in the first one, and the rest take them from the
 * cache.
 */
const COMPILED_EVERYWHERE: ReadonlySet<string> = new Set(['C Accepted', 'JAVA Accepted', 'CPP CompileError']);

const SANDBOXES: readonly SandboxKind[] = ['bwrap', 'rlimit', 'none'];

/** The sandboxes that this machine has. */
const working = new Set<SandboxKind>();
for (const sandbox of SANDBOXES) {
    await probeSandbox(sandbox).then(
        () => working.add(sandbox),
        (error: Error) => console.log(`skipped: ${error.message}`),
    );
}
/** Tested in full, and in the quick part. */
const [first] = working;
const tried = SANDBOXES.filter((sandbox) => isRun(sandbox === first ? 'quick' : 'slow'));

describe.each(tried)('verdicts in sandbox %s', async (sandbox) => {
    const works = working.has(sandbox);
    const { missing } = await findLanguages({ overrides: {}, python2As3: false }, sandbox);
    const rig = new JudgeRig(sandbox);
    const compiling = new JudgeRig(sandbox, { compileCache: join(rig.folder, 'compiled') });
    afterAll(async () => {
        await compiling.close();
        await rig.close();
    });

    const isWhole = sandbox === first || LONG;

    for (const [language, programs] of Object.entries(PROGRAMS)) {
        const why = missing.get(language);
        if (why !== undefined) console.log(`skipped ${language}: ${why}`);
        for (const [verdict, source] of Object.entries(programs)) {
            if (language === 'JAVA' && !isWhole && !JAVA_EVERYWHERE.has(verdict)) continue;
            it.skipIf(!works || why !== undefined)(`${language}: ${verdict}`, async () => {
                const isCompiled = COMPILED_EVERYWHERE.has(`${language} ${verdict}`);
                // Without a sandbox nothing restricts a compiler.
                const judge = isCompiled && (isWhole || sandbox !== 'none') ? compiling : rig;
                const limits = LIMITS_TO_EXCEED[verdict] ?? {};
                const tests = source === JAVA_BY_WORD ? ([[`${verdict}\n`, '3\n']] as const) : SUM;
                const outcome = await judge.run({ language, source, tests, limits });
                expect(inWords(outcome)).toBe(verdict);
                expect(outcome).toMatchObject({ by: { sandbox } });
            });
        }
    }

    const habits = isWhole ? [...HABITS, ...DIALECTS] : HABITS;
    for (const [what, language, source] of habits) {
        it.skipIf(!works || missing.has(language))(`${language}: ${what}`, async () => {
            const outcome = await rig.run({ language, source, tests: HABIT_TESTS, limits: { time: 5 } });
            expect(inWords(outcome), JSON.stringify(outcome)).toBe('Accepted');
        });
    }

    for (const [language, source] of Object.entries(BY_NAME)) {
        it.skipIf(!works || missing.has(language))(
            `${language}: opens /dev/stdin and /dev/stdout`,
            async () => {
                // With the mode that a run gives staged inputs, and with that of dataset files that only their owner may read.
                for (const inputMode of [0o644, 0o600]) {
                    const outcome = await rig.run({ language, source, tests: SUM.slice(0, 1), inputMode });
                    expect(inWords(outcome), JSON.stringify(outcome)).toBe('Accepted');
                }
            },
        );
    }
});
