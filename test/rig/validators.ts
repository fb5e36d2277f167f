import { makeTextContent } from '../../src/model/fingerprint.js';
import type { CheckerProgram } from '../../src/model/sample.js';

/** A validator or interactor written in Python. */
export const asValidator = (
    text: string,
    convention: CheckerProgram['convention'] = 'kattis',
): CheckerProgram => ({
    kind: 'program',
    convention,
    language: 'PYTHON3',
    files: [{ name: 'validate.py', content: makeTextContent(text) }],
    flags: [],
    time: 10,
    memory: null,
});

/** Answers guesses at the number in the input, ten at most. */
export const GUESSING = `import os, sys
secret = int(open(sys.argv[1]).read())
def end(code, why):
    open(sys.argv[3] + "judgemessage.txt", "w").write(why)
    sys.exit(code)
print("ready", flush=True)
for turn in range(10):
    line = sys.stdin.readline()
    if line == "": end(43, "no more guesses")
    if not line.strip().isdigit(): end(43, "not a number")
    guess = int(line)
    if guess == secret:
        print("correct", flush=True)
        end(42, "found")
    print("higher" if guess < secret else "lower", flush=True)
end(43, "too many guesses")
`;

/** Finds the number. */
export const BISECT = `input()
low, high = 1, 100
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    said = input()
    if said == "correct": break
    if said == "higher": low = middle + 1
    else: high = middle - 1
`;

/** Programs that play the guessing game, and their verdicts. */
export const TALKS = [
    ['a wrong guesser', 'input()\nfor i in range(11): print(1, flush=True); input()', 'WrongAnswer'],
    ['one that says nothing and ends', 'pass', 'WrongAnswer'],
    ['a crash', 'input()\nprint(37, flush=True)\ninput()\nraise SystemExit(3)', 'RuntimeError'],
    ['one that crashes once it was rejected', 'print("x", flush=True)\nwhile True: input()', 'WrongAnswer'],
    [
        'one that computes for ever once it was rejected',
        'print("x", flush=True)\nwhile True: pass',
        'WrongAnswer',
    ],
] as const;

/** Sends back what it is told plus one, until that is 3. Records each pass and finds what it wrote before. */
export const COUNTING = `import sys, os
text, folder = open(sys.argv[1]).read(), sys.argv[3]
notes = os.path.join(folder, "notes")
seen = open(notes).read() if os.path.exists(notes) else ""
open(notes, "a").write(text.strip() + ";")
said = sys.stdin.readline()
if said != text and said.strip() != text.strip():
    open(folder + "judgemessage.txt", "w").write("after " + seen)
    sys.exit(43)
if int(text) < 3: open(folder + "nextpass.in", "w").write(str(int(text) + 1) + "\\n")
sys.exit(42)
`;
