import type { StagedSample } from '../../src/model/sample.js';
import { asValidator } from './validators.js';

/*
 * Pairs of a submission and a validator, with the outcome they must have wherever they run. The rules come from the problem
 * package format (legacy and 2025-09), problemtools' interactive.cc and judge/execute.py, BAPCtools' interactive.py, and
 * DOMjudge's runpipe.cc and judgedaemon.
 */

export interface TalkPair {
    readonly name: string;
    /** Both are in Python; see `SAYING`. */
    readonly submission: string;
    readonly validator: string;
    /** A verdict, or what is reported about it. */
    readonly is: string | RegExp;
    /** Seconds. */
    readonly time?: number;
    readonly input?: string;
    /** The problem, apart from its validator; absent: an interactive one. */
    readonly problem?: Partial<StagedSample>;
    /** CPU time limit of the validator in seconds. */
    readonly validatorTime?: number;
    /** Why servers cannot handle it. */
    readonly notOnServers?: string;
}

const SAYING = `import os, signal, sys, time
def say(text): print(text, flush=True)
def hear(): return sys.stdin.readline()
def compute(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
`;

const JUDGING = `${SAYING}
def leave(name, text): open(sys.argv[3] + name, "w").write(text)
given = open(sys.argv[1]).read()
`;

/** Stages the submission and the problem of a pair. */
export function stagePair(pair: TalkPair): {
    readonly source: string;
    readonly problem: Partial<StagedSample>;
} {
    const validator = asValidator(JUDGING + pair.validator);
    const time = pair.validatorTime ?? validator.time;
    return {
        source: SAYING + pair.submission,
        problem: { ...(pair.problem ?? { interactive: true }), checker: { ...validator, time } },
    };
}

/** Stopped at its time limit, or suspect and to be checked again. */
const TIMED_OUT = /^(?:TimeLimitExceeded|suspect )/;

const REJECTS = 'sys.exit(43)';
const ACCEPTS = 'sys.exit(42)';
/** Does not expect its input to end. */
const CARELESS = 'int(input())';

/** Which program ends first, and how. */
const ENDS: readonly TalkPair[] = [
    {
        name: 'the validator rejects first, and the submission ends well',
        submission: 'hear()\nsay("x")',
        validator: REJECTS,
        is: 'WrongAnswer',
    },
    {
        name: 'the validator rejects first, and the submission crashes',
        submission: 'hear()\nraise SystemExit(3)',
        validator: REJECTS,
        is: 'WrongAnswer',
    },
    {
        name: 'the validator rejects first, and the submission goes on saying something',
        submission: 'while True:\n    say("x")\n    time.sleep(0.002)',
        validator: `hear()\n${REJECTS}`,
        is: 'WrongAnswer',
        time: 2,
    },
    {
        name: 'the submission crashes first, and the validator rejects',
        submission: 'raise SystemExit(3)',
        validator: `hear()\n${REJECTS}`,
        is: 'RuntimeError',
    },
    {
        name: 'the submission crashes first, and the validator accepts',
        submission: 'say("37")\nraise SystemExit(3)',
        validator: `sys.stdin.read()\n${ACCEPTS}`,
        is: 'RuntimeError',
    },
    {
        name: 'the validator accepts first, and the submission crashes',
        submission: 'hear()\nos.kill(os.getpid(), signal.SIGSEGV)',
        validator: ACCEPTS,
        is: 'RuntimeError',
    },
    {
        name: 'the validator accepts first, and the submission computes for ever',
        submission: 'hear()\nwhile True: pass',
        validator: ACCEPTS,
        is: TIMED_OUT,
        time: 0.3,
    },
    {
        name: 'the validator accepts first, and the submission ignores the end of its input',
        submission: 'while True:\n    hear()\n    time.sleep(0.01)',
        validator: ACCEPTS,
        is: TIMED_OUT,
        time: 0.2,
    },
    {
        name: 'the validator accepts first, and the submission ends at the end of its input',
        submission: 'sys.exit(0 if hear() == "" else 3)',
        validator: ACCEPTS,
        is: 'Accepted',
    },
    {
        name: 'the submission ends at once, having said nothing, and the validator accepts that',
        submission: '',
        validator: 'sys.exit(42 if hear() == "" else 43)',
        is: 'Accepted',
    },
    {
        name: 'the submission is stopped at its limit, and the validator rejects what it had of it',
        submission: 'while True: pass',
        validator: `hear()\n${REJECTS}`,
        is: TIMED_OUT,
        time: 0.3,
    },
];

/** Validators that do not work properly. */
const FAILURES: readonly TalkPair[] = [
    ...[0, 1, 44, 137].map((code) => ({
        name: `the validator exits with ${code}`,
        submission: 'say("1")',
        validator: `hear()\nsys.exit(${code})`,
        is: new RegExp(`the validator exited with ${code}`),
    })),
    {
        name: 'the validator is killed',
        submission: 'say("1")',
        validator: 'hear()\nos.kill(os.getpid(), signal.SIGKILL)',
        is: /the validator (?:was killed by SIGKILL|exited with 137)/,
    },
    {
        name: 'the validator takes too long',
        submission: 'hear()',
        validator: 'while True: pass',
        is: /the validator was stopped at its (?:cpu|wall) limit/,
        validatorTime: 0.3,
    },
    {
        name: 'both crash, the submission first',
        submission: 'raise SystemExit(3)',
        validator: CARELESS,
        is: /the validator exited with 1/,
    },
    {
        name: 'both crash, the validator first',
        submission: 'hear()\nraise SystemExit(3)',
        validator: 'sys.exit(1)',
        is: /the validator exited with 1/,
    },
    {
        name: 'the validator crashes, and the submission would go on for ever',
        submission: 'while True: hear()',
        validator: 'sys.exit(1)',
        is: /the validator exited with 1/,
        time: 1,
    },
    {
        name: 'the validator exits with 0, and the submission would go on for ever',
        submission: 'while True: hear()',
        validator: 'sys.exit(0)',
        is: /the validator exited with 0/,
        time: 1,
    },
    {
        name: 'the submission is stopped at its limit, and the validator crashes at the end of its input',
        submission: 'while True: pass',
        validator: CARELESS,
        is: TIMED_OUT,
        time: 0.3,
    },
];

/** What is said, how much, and when. */
const WORDS: readonly TalkPair[] = [
    {
        name: 'the last line has no end',
        submission: 'sys.stdout.write("37")',
        validator: 'sys.exit(42 if hear() == "37" else 43)',
        is: 'Accepted',
    },
    {
        name: 'a line has no end, and its submission waits for the answer',
        submission: 'sys.stdout.write("37")\nsys.stdout.flush()\nhear()',
        validator: `say(hear())\n${ACCEPTS}`,
        is: TIMED_OUT,
        time: 0.1,
    },
    {
        name: 'the submission says much that nobody reads',
        submission: 'hear()\nsys.stdout.write("x" * 300000)',
        validator: ACCEPTS,
        is: 'Accepted',
    },
    {
        name: 'the validator says much that nobody reads',
        submission: '',
        validator: `for _ in range(300): say("x" * 1000)\n${ACCEPTS}`,
        is: 'Accepted',
    },
    {
        name: 'both say much before they listen',
        submission: 'say("x" * 900000)\nsys.exit(0 if len(hear()) == 900001 else 3)',
        validator: 'say("x" * 900000)\nsys.exit(42 if len(hear()) == 900001 else 43)',
        is: 'Accepted',
        notOnServers: 'the pipes of a server hold less',
    },
    {
        name: 'the validator reads what was said when the time of the submission is long over',
        submission: 'sys.stdout.write("x" * 900000)',
        validator: 'time.sleep(2.8)\nsys.exit(42 if len(sys.stdin.read()) == 900000 else 43)',
        is: 'Accepted',
        time: 0.2,
        notOnServers: 'the pipes of a server hold less',
    },
    {
        name: 'the validator takes longer than the submission may, after that has ended',
        submission: 'say("1")',
        validator: `hear()\ncompute(0.9)\n${ACCEPTS}`,
        is: 'Accepted',
        time: 0.2,
    },
    {
        name: 'the validator takes longer than the submission may, while that waits',
        submission: 'say("1")\nhear()',
        validator: `hear()\ncompute(0.6)\nsay("2")\n${ACCEPTS}`,
        is: 'Accepted',
        time: 0.4,
        notOnServers: 'the wall bound of a server does not move with its load',
    },
    {
        name: 'the validator closes its output and waits for the answer',
        submission: 'say(sum(int(line) for line in sys.stdin))',
        validator: 'say("1")\nsay("2")\nos.close(1)\nsys.exit(42 if hear() == "3\\n" else 43)',
        is: 'Accepted',
        notOnServers: 'the shell around a validator keeps its output open',
    },
    {
        name: 'the submission closes its input and goes on',
        submission: 'os.close(0)\nsay("1")',
        validator: 'for _ in range(300): say("x" * 1000)\nsys.exit(42 if hear() == "1\\n" else 43)',
        is: 'Accepted',
    },
    {
        name: 'the submission closes its output and goes on, until it crashes',
        submission: 'os.close(1)\ntime.sleep(0.3)\nraise SystemExit(3)',
        validator: `hear()\n${REJECTS}`,
        is: 'RuntimeError',
    },
    {
        name: 'a child of the submission keeps the pipe open',
        submission: 'if os.fork() == 0: time.sleep(30)',
        validator: 'sys.exit(42 if hear() == "" else 43)',
        is: 'Accepted',
    },
];

/** A program that reports the length of its input, and validators that request more passes. */
const COUNTS = 'say(len(sys.stdin.read()))';
const CHECKS = 'if hear() != f"{len(given)}\\n": sys.exit(43)\n';
const passes = (most: number): Partial<StagedSample> => ({ passes: most });
const talksOf = (most: number): Partial<StagedSample> => ({ passes: most, interactive: true });

const PASSES: readonly TalkPair[] = [
    {
        name: 'the input of a pass has no end of line, or is empty',
        submission: COUNTS,
        validator: `${CHECKS}if given != "": leave("nextpass.in", {"first\\n": "abc", "abc": ""}[given])\n${ACCEPTS}`,
        is: 'Accepted',
        input: 'first\n',
        problem: passes(3),
    },
    {
        name: 'the request for a pass is not there any more in that pass',
        submission: COUNTS,
        validator: `if os.path.exists(sys.argv[3] + "nextpass.in"): sys.exit(43)\nif given == "1": leave("nextpass.in", "2")\n${ACCEPTS}`,
        is: 'Accepted',
        input: '1',
        problem: passes(2),
    },
    {
        name: 'a validator that asks for no pass gets none',
        submission: COUNTS,
        validator: CHECKS + ACCEPTS,
        is: 'Accepted',
        input: '1',
        problem: passes(2),
    },
    {
        name: 'a problem of one pass has no next one, whatever its validator leaves',
        submission: 'say("1")',
        validator: `hear()\nleave("nextpass.in", "2")\n${ACCEPTS}`,
        is: 'Accepted',
    },
    {
        name: 'a pass is asked for by a validator that rejects',
        submission: COUNTS,
        validator: `leave("nextpass.in", "2")\n${REJECTS}`,
        is: /asks for another pass, but did not accept this one/,
        problem: passes(2),
    },
    {
        name: 'a pass is asked for by a validator that fails',
        submission: COUNTS,
        validator: 'leave("nextpass.in", "2")\nsys.exit(44)',
        is: /the validator exited with 44/,
        problem: passes(2),
    },
    {
        name: 'more passes than allowed',
        submission: COUNTS,
        validator: `leave("nextpass.in", given + "1")\n${ACCEPTS}`,
        is: /asks for more than 2 passes/,
        problem: passes(2),
    },
    {
        name: 'the second pass takes too long',
        submission: 'if hear() == "2":\n    while True: pass\nsay("1")',
        validator: `if given == "1": leave("nextpass.in", "2")\n${ACCEPTS}`,
        is: TIMED_OUT,
        input: '1',
        time: 0.3,
        problem: passes(2),
    },
    {
        name: 'talks: the submission crashes in a pass after which another was asked for',
        submission: 'raise SystemExit(int(hear()) == 2)',
        validator: `say(given)\nsys.stdin.read()\nleave("nextpass.in", str(int(given) + 1))\n${ACCEPTS}`,
        is: 'RuntimeError',
        input: '1',
        problem: talksOf(5),
    },
    {
        name: 'talks: a pass is asked for by a validator that rejects',
        submission: 'hear()',
        validator: `leave("nextpass.in", "2")\n${REJECTS}`,
        is: /asks for another pass, but did not accept this one/,
        problem: talksOf(2),
    },
    {
        name: 'talks: more passes than allowed',
        submission: 'hear()',
        validator: `leave("nextpass.in", "2")\n${ACCEPTS}`,
        is: /asks for more than 2 passes/,
        problem: talksOf(2),
    },
];

export const TALK_PAIRS: readonly TalkPair[] = [...ENDS, ...FAILURES, ...WORDS, ...PASSES];
