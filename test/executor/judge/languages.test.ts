import { afterAll, describe, expect, it } from 'vitest';
import { findAvailableLanguages } from '../../../src/executor/judge/available.js';
import { LONG } from '../../rig/long.js';
import { inWords, JudgeRig, printed } from './judging.js';

/*
 * Each language of the table whose toolchain is on this machine: a program that reads two numbers and prints their sum, and for
 * compiled languages a source that does not compile.
 */

const available = await findAvailableLanguages({}, false, 'rlimit');
const rig = new JudgeRig('rlimit');
afterAll(() => rig.close());

const SUMS: Readonly<Record<string, string>> = {
    HASKELL: 'main :: IO ()\nmain = interact $ \\s -> show (sum (map read (words s) :: [Int])) ++ "\\n"\n',
    CSHARP: `using System; using System.Linq;
class P { static void Main() { Console.WriteLine(Console.ReadLine().Split(' ').Select(long.Parse).Sum()); } }
`,
    PROLOG: `main :- read_term(user_input, A, []), read_term(user_input, B, []), C is A + B, write(C), nl.
`,
    BASH: 'read a b\necho $((a + b))\n',
    PASCAL: 'var a, b: int64;\nbegin read(a, b); writeln(a + b); end.\n',
    LUA: 'local a, b = io.read("n", "n")\nprint(a + b)\n',
    RUBY: 'puts gets.split.map(&:to_i).sum\n',
    OCAML: 'let () = Scanf.scanf " %d %d" (fun a b -> Printf.printf "%d\\n" (a + b))\n',
    PHP: '<?php [$a, $b] = explode(" ", trim(fgets(STDIN))); echo $a + $b, "\\n";\n',
    PERL: 'use strict; my ($a, $b) = split " ", <STDIN>; print $a + $b, "\\n";\n',
    RUST: `use std::io::*;
fn main() { let mut s = String::new(); stdin().read_to_string(&mut s).unwrap();
println!("{}", s.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum::<i64>()); }
`,
    GO: 'package main\nimport "fmt"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }\n',
    KOTLIN: 'fun main() { println(readLine()!!.split(" ").map { it.toInt() }.sum()) }\n',
    TYPESCRIPT: `import { readFileSync } from 'node:fs';
const numbers: number[] = readFileSync(0, 'utf8').trim().split(' ').map(Number);
console.log(numbers.reduce((a: number, b: number) => a + b));
`,
};

/** Compilers that take more CPU time than all others together. */
const SLOW: ReadonlySet<string> = new Set(['HASKELL', 'KOTLIN', 'GO', 'CSHARP']);
const COMPILED = ['HASKELL', 'CSHARP', 'PASCAL', 'OCAML', 'RUST', 'GO', 'KOTLIN'];

const isTried = (tag: string): boolean => available.has(tag) && (LONG || !SLOW.has(tag));
const limits = { time: 20, memory: 1024 ** 3 };

describe('languages of the table', () => {
    for (const [language, source] of Object.entries(SUMS)) {
        it.skipIf(!isTried(language))(
            `${language} adds two numbers (skipped without its toolchain; ${[...SLOW].join(', ')} only in the long form)`,
            async () => {
                const input = language === 'PROLOG' ? '20.\n22.\n' : '20 22\n';
                const outcome = await rig.run({ language, source, tests: [[input, '42\n']], limits });
                expect([inWords(outcome), inWords(outcome) === 'Accepted' ? '' : printed(outcome)]).toEqual([
                    'Accepted',
                    '',
                ]);
            },
        );
    }

    for (const language of COMPILED) {
        it.skipIf(!isTried(language))(
            `${language} refuses what is no program of it (skipped like the other)`,
            async () => {
                const outcome = await rig.run({ language, source: 'this is ( not a program\n', limits });
                expect(inWords(outcome)).toBe('CompileError');
            },
        );
    }
});
