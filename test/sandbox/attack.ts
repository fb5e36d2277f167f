import type { Limits } from '../../src/model/limits.js';

/** What an attack must lead to: one of these verdicts, or an outcome that is not guaranteed. */
export type Expectation = readonly string[] | NotHeld;

/** A weakness of the sandbox, in the words of docs/security.md. */
export interface NotHeld {
    readonly notHeld: string;
}

export interface Attack {
    readonly name: string;
    readonly language: 'PYTHON3' | 'CPP' | 'JAVA';
    /** `@secret@ @folder@ @stage@ @port@ @pid@` stand for what the test sets up for programs to find. */
    readonly source: string;
    readonly under: {
        readonly bwrap: Expectation;
        /** Split where it makes a difference: as root, programs run as another user, otherwise as ours. */
        readonly rlimit: Expectation | { readonly asRoot: Expectation; readonly asUser: Expectation };
    };
    /** Inputs; only an empty output is correct. Defaults to one empty input. */
    readonly inputs?: readonly string[];
    readonly limits?: Partial<Limits>;
    /** Judged this often in succession, for what it may leave to a later submission. */
    readonly times?: number;
    /** For attacks that are only Python statements, which throw on failure, so that several fit in one program. */
    readonly statements?: string;
    /**
     * Python code that leaves something, and code that throws if a later run does not find it; several of them fit in one
     * program.
     */
    readonly trace?: { readonly leave: string; readonly look: string };
    /** Takes all available processes; run alone where the limit counts the processes of a user. */
    readonly crowd?: boolean;
}

/** What programs print when they reach something forbidden. */
export const OUT = 'out';

/** Text in the arguments of processes meant to outlive their run, unique to this run of the tests. */
export const MARK = `986.${process.pid}`;

type Under = Partial<Attack['under']>;

const HELD: readonly string[] = ['Accepted'];

/** An attack on resources: ends with one of these verdicts, in every sandbox unless `under` says otherwise. */
export function ends(
    name: string,
    language: Attack['language'],
    verdicts: readonly string[],
    source: string,
    more: Partial<Pick<Attack, 'inputs' | 'limits' | 'times'>> & { readonly under?: Under } = {},
): Attack {
    const { under, ...rest } = more;
    return { name, language, source, ...rest, under: { bwrap: verdicts, rlimit: verdicts, ...under } };
}

const PYTHON_HEAD = 'import os, sys, time, socket, signal, ctypes, platform';

export const python = (source: string): string => `${PYTHON_HEAD}\n${source}\n`;

const indented = (text: string): string => text.replace(/^/gm, '    ');

/** Tries something forbidden in Python and prints `out` if it succeeded. An exception means that it failed. */
export function tries(name: string, statements: string, under: Under = {}): Attack {
    return { ...ends(name, 'PYTHON3', HELD, attempts([{ name, statements }]), { under }), statements };
}

/** Several attacks made by `tries` in one program, one after the other; it prints the name of each that succeeded. */
export function triesAll(attacks: readonly Attack[]): Attack {
    const parts = attacks.flatMap(({ name, statements }) =>
        statements === undefined ? [] : { name, statements },
    );
    return ends(parts.map(({ name }) => name).join('; '), 'PYTHON3', HELD, attempts(parts));
}

function attempts(parts: readonly { readonly name: string; readonly statements: string }[]): string {
    const each = parts.map(
        ({ name, statements }) =>
            `def attack():\n${indented(statements)}\ntry:\n    attack()\n    print("${name}:")\n    print("${OUT}")\nexcept Exception:\n    pass`,
    );
    return python(each.join('\n'));
}

/** The same in C++: `condition` is true if the attack succeeded. */
export function triesInCpp(name: string, condition: string, under: Under = {}): Attack {
    const heads = [
        'cstdio',
        'cstdlib',
        'cstring',
        'fcntl.h',
        'sched.h',
        'signal.h',
        'time.h',
        'unistd.h',
        'sys/mount.h',
        'sys/ptrace.h',
        'sys/resource.h',
        'sys/socket.h',
        'sys/stat.h',
        'sys/syscall.h',
        'sys/wait.h',
    ];
    const source = `${heads.map((head) => `#include <${head}>`).join('\n')}\nint main() { if (${condition}) puts("${OUT}"); }\n`;
    return ends(name, 'CPP', HELD, source, { under });
}

/** The same in Java, with statements that throw on failure. */
export function triesInJava(name: string, statements: string, under: Under = {}): Attack {
    const source = `import java.io.*; import java.net.*; import java.nio.file.*; import java.util.*;
public class Main { public static void main(String[] a) { try { ${statements} System.out.println("${OUT}"); } catch (Throwable t) { } } }\n`;
    return ends(name, 'JAVA', HELD, source, { under });
}

/**
 * Attacks in Java by name, in one program that is told which of them to run, because a Java compiler takes two seconds of CPU
 * time.
 */
const JAVA_BY_WORD = `import java.util.*;
public class Main {
    static int recurse(int n) { return recurse(n + 1) + 1; }
    public static void main(String[] a) throws Exception {
        switch (new Scanner(System.in).nextLine()) {
            case "thread bomb":
                for (;;) new Thread(() -> { try { Thread.sleep(60000); } catch (Exception e) { } }).start();
            case "a child that outlives a JVM":
                new ProcessBuilder("setsid", "sleep", "${MARK}").start();
                System.exit(0);
            case "memory of one process":
                List<byte[]> kept = new ArrayList<>();
                for (;;) kept.add(new byte[1 << 20]);
            case "deep recursion":
                recurse(0);
                break;
            case "flood of stdout":
                byte[] bytes = new byte[1 << 16];
                for (;;) System.out.write(bytes, 0, bytes.length);
            case "ending well without an answer":
                Runtime.getRuntime().halt(0);
            default:
                System.out.println("no such attack");
        }
    }
}
`;

/** The attack of that name in the one Java program. */
export const byWord = (
    name: string,
    verdicts: readonly string[],
    more: Partial<Pick<Attack, 'limits'>> = {},
): Attack => ends(name, 'JAVA', verdicts, JAVA_BY_WORD, { inputs: [`${name}\n`], ...more });

/**
 * Leaves something behind and looks for it in a later test of the same submission and in a second submission. `leave` and `look`
 * are Python; `look` throws if it finds nothing.
 */
export function leaves(name: string, leave: string, look: string, under: Under = {}): Attack {
    return leavesAll([{ name, trace: { leave, look }, under }]);
}

/** Several attacks made by `leaves` in one program; it prints the name of each whose trace was found. */
export function leavesAll(
    attacks: readonly (Pick<Attack, 'name' | 'trace'> & { readonly under: Under })[],
): Attack {
    const parts = attacks.flatMap(({ name, trace }) => (trace === undefined ? [] : { name, ...trace }));
    const source = [
        'todo = sys.stdin.read()',
        ...parts.flatMap(({ name, leave, look }) => [
            'def leave():',
            indented(leave),
            'def look():',
            indented(look),
            'try:',
            '    if todo == "leave": leave()',
            '    if todo == "look":',
            '        look()',
            `        print("${name}:")`,
            `        print("${OUT}")`,
            'except Exception:',
            '    pass',
        ]),
    ].join('\n');
    const more = { inputs: ['look', 'leave', 'look'], times: 2, under: attacks[0]?.under ?? {} };
    const attack = ends(parts.map(({ name }) => name).join('; '), 'PYTHON3', HELD, python(source), more);
    const [only, ...others] = parts;
    return only === undefined || others.length > 0 ? attack : { ...attack, trace: only };
}
