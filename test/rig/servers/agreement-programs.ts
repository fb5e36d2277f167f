/** How a program is judged. */
export type Judge = 'local' | 'goJudge' | 'runCode' | 'submit' | 'fork' | 'forkSubmit';

/** A program, its single test, and the verdict that every judge must reach. */
export interface AgreementProgram {
    readonly name: string;
    readonly language: 'PYTHON3' | 'CPP' | 'JAVA' | 'JAVASCRIPT' | 'RUST';
    readonly source: string;
    readonly input?: string;
    readonly answer: string;
    /** `--timeout`, seconds. */
    readonly time?: number;
    /** `--memory-limit` in MiB; absent if not given. */
    readonly memory?: number;
    readonly verdict: string;
    /** Judges that cannot agree, as explained in docs/servers.md. */
    readonly differs?: Readonly<Partial<Record<Judge, string>>>;
}

const SUM = { input: '3 4\n', answer: '7\n', verdict: 'Accepted' } as const;
const LOST = { runCode: 'failure endpoint', submit: 'failure endpoint' } as const;
/** `/submit` accepts no memory limit and compares by its own rules. */
const BY_SUBMIT = { submit: 'Accepted', forkSubmit: 'Accepted' } as const;

const python = (name: string, source: string, more: Partial<AgreementProgram> = {}): AgreementProgram => ({
    name,
    language: 'PYTHON3',
    source,
    ...SUM,
    ...more,
});
const cpp = (name: string, body: string, more: Partial<AgreementProgram> = {}): AgreementProgram => ({
    name,
    language: 'CPP',
    source: `#include <bits/stdc++.h>\n${body}`,
    ...SUM,
    ...more,
});

const READ = 'a, b = map(int, input().split())\n';

/** Programs that real servers once judged differently, and programs that every server must agree on. */
export const AGREEMENT_PROGRAMS: readonly AgreementProgram[] = [
    {
        name: 'Rust, right',
        language: 'RUST',
        source: `use std::io::*;
fn main() { let mut s = String::new(); stdin().read_to_string(&mut s).unwrap();
    println!("{}", s.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum::<i64>()); }`,
        ...SUM,
    },
    cpp(
        'C++ with a thread',
        'int main() { int a, b; std::cin >> a >> b; std::thread t([&] { std::cout << a + b; }); t.join(); }',
    ),
    python(
        'Python with a thread',
        `import threading\n${READ}t = threading.Thread(target=lambda: print(a + b)); t.start(); t.join()`,
    ),
    {
        name: 'Java, class Sol',
        language: 'JAVA',
        source: `import java.util.*;
public class Sol { public static void main(String[] x) { Scanner s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }`,
        ...SUM,
    },
    python('289 KB of lines', 'for i in range(29600): print("abcdefghi", flush=True)', {
        answer: 'abcdefghi\n'.repeat(29_600),
        time: 8,
        differs: LOST,
    }),
    python('2 MB of lines', 'for i in range(100000): print("abcdefghijklmnopqrs")', {
        answer: 'abcdefghijklmnopqrs\n'.repeat(100_000),
        time: 8,
        differs: LOST,
    }),
    python('400 KB in one write', 'print("x" * 400000)', { answer: 'x'.repeat(400_000), differs: LOST }),
    python('300 KB of wide characters', 'print(chr(0x20ac) * 100000)', {
        answer: '\u20AC'.repeat(100_000),
        differs: LOST,
    }),
    cpp('C++ at 64 MiB', 'int main() { int a, b; std::cin >> a >> b; std::cout << a + b; }', { memory: 64 }),
    python('600 MB in Python at 256 MiB', `x = bytearray(b"x") * (600 << 20)\n${READ}print(a + b)`, {
        memory: 256,
        verdict: 'MemoryLimitExceeded',
        differs: BY_SUBMIT,
    }),
    {
        name: '600 MB in C++ at 256 MiB',
        language: 'CPP',
        // Few headers: if the compiler does not fit into the limit, the program runs without one.
        source: `#include <iostream>
#include <vector>
int main() { std::vector<char> v(600u << 20, 1); int a, b; std::cin >> a >> b; std::cout << a + b + v[9] - 1; }`,
        ...SUM,
        memory: 256,
        verdict: 'MemoryLimitExceeded',
        differs: BY_SUBMIT,
    },
    python(
        'a child keeps stdout open',
        `import subprocess\n${READ}subprocess.Popen(["sleep", "8"])\nprint(a + b, flush=True)`,
        { time: 4, differs: { fork: 'TimeLimitExceeded', forkSubmit: 'TimeLimitExceeded' } },
    ),
    python('a source that holds a fence', `"""\n\`\`\`\nx\n\`\`\`\n"""\n${READ}print(a + b)`),
    python('1000001 for 1000000', 'print(1000001)', {
        answer: '1000000\n',
        verdict: 'WrongAnswer',
        differs: BY_SUBMIT,
    }),
    python('yes for YES', 'print("yes")', { answer: 'YES\n', verdict: 'WrongAnswer', differs: BY_SUBMIT }),
    // Programs on which all agreed from the beginning.
    python('right', `${READ}print(a + b)`),
    python('wrong', `${READ}print(a + b + 1)`, { verdict: 'WrongAnswer' }),
    python('blank', 'input()', { verdict: 'WrongAnswer' }),
    python('slow after some output', 'print(7, flush=True)\nwhile True: pass', {
        time: 2,
        verdict: 'TimeLimitExceeded',
    }),
    python('slow without output', 'while True: pass', { time: 2, verdict: 'TimeLimitExceeded' }),
    python('exits with 3', 'raise SystemExit(3)', { verdict: 'RuntimeError' }),
    python('right, then exits with 1', `${READ}print(a + b)\nraise SystemExit(1)`, {
        verdict: 'RuntimeError',
    }),
    python('divides by zero', '1 // 0', { verdict: 'RuntimeError' }),
    python('recurses without end', 'def f(): f()\nf()', { verdict: 'RuntimeError' }),
    python('prints unicode', 'print("\u4E2D\u{1F600}\u00E9")', { answer: '\u4E2D\u{1F600}\u00E9\n' }),
    python('reads 1 MB', 'import sys\nprint(len(sys.stdin.read()))', {
        input: 'x'.repeat(1 << 20),
        answer: `${1 << 20}\n`,
    }),
    python('trailing spaces and lines', `${READ}print(a + b, "  \\n\\n")`),
    python('no input, source of CRLF lines', 'x = 3\r\ny = 4\r\nprint(x + y)\r\n', { input: '' }),
    cpp('C++, right', 'int main() { long long a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }'),
    cpp('C++ that does not compile', 'int main() { return x; }', { verdict: 'CompileError' }),
    cpp('C++ that crashes', 'int main() { *(volatile int*)0 = 1; }', { verdict: 'RuntimeError' }),
    {
        name: 'Java, class Main',
        language: 'JAVA',
        source: 'import java.util.*;\nclass Main { public static void main(String[] x) { Scanner s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }',
        ...SUM,
    },
    {
        name: 'Java that does not compile',
        language: 'JAVA',
        source: 'public class Main { int x = "y"; }',
        ...SUM,
        verdict: 'CompileError',
    },
    {
        name: 'JavaScript, right',
        language: 'JAVASCRIPT',
        source: 'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a + b);',
        ...SUM,
    },
    {
        name: 'JavaScript that throws',
        language: 'JAVASCRIPT',
        source: 'throw new Error("no");',
        ...SUM,
        verdict: 'RuntimeError',
    },
];
