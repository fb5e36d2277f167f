import { afterAll, describe, expect, it } from 'vitest';
import { createGoJudge } from '../../../src/executor/servers/go-judge.js';
import type { JudgeResult } from '../../../src/model/entry.js';
import type { StagedSample } from '../../../src/model/sample.js';
import type { Task } from '../../../src/model/task.js';
import { findGoJudge, RealGoJudge } from '../../rig/servers/real-go-judge.js';
import {
    brief,
    checkTokens,
    contextOf,
    goJudge,
    stageSample,
    taskOf,
} from '../../rig/servers/submissions.js';
import { stagePair, TALK_PAIRS } from '../../rig/talk-pairs.js';
import { asValidator, BISECT, COUNTING, GUESSING, TALKS } from '../../rig/validators.js';

/*
 * Interactive and multi-pass problems on the real go-judge, with the programs that test them on this machine: a program that one
 * calls Accepted must not be WrongAnswer on the other.
 */

const binary = findGoJudge();
const server =
    binary === null ? null : await new RealGoJudge(binary).start().catch((error: unknown) => String(error));
const reason = server === null ? 'go-judge is not installed (GO_JUDGE, PATH)' : server;

/** An interactor written for testlib, whose checker compares what it wrote. */
const INTERACTOR = `import sys
number = open(sys.argv[1]).read().strip()
print(number, flush=True)
line = sys.stdin.readline().strip()
open(sys.argv[2], "w").write(line)
sys.exit(0 if line else 1)
`;

describe('talks on go-judge', () => {
    if (typeof reason === 'string') {
        process.stdout.write(`skipped: talks on the real go-judge: ${reason}\n`);
        it.skip(`skipped: ${reason}`, () => {});
        return;
    }
    const executor = createGoJudge(goJudge([reason.url]), { check: checkTokens });
    afterAll(async () => {
        await executor.close();
        await reason.kill();
    });

    const limits = { time: 2, memory: 512 * 1024 * 1024, output: 64 * 1024 };
    const judge = async (
        source: string,
        problem: Partial<StagedSample>,
        tests: readonly (readonly [string, string])[],
        over: Partial<Task> = {},
    ): Promise<{ readonly is: string; readonly result: JudgeResult | null }> => {
        const stage = await stageSample(tests, problem.checker, problem);
        const outcome = await executor.run(
            taskOf(stage, 'PYTHON3', source, { limits, ...over }),
            contextOf(),
        );
        const result = outcome.kind === 'verdict' ? (outcome.result as JudgeResult) : null;
        return { is: outcome.kind === 'failure' ? outcome.failure.message : brief(outcome), result };
    };
    const guess = (source: string, over: Partial<Task> = {}) =>
        judge(
            source,
            { checker: asValidator(GUESSING), interactive: true },
            [
                ['37\n', ''],
                ['99\n', ''],
            ],
            over,
        );
    const count = (source: string) =>
        judge(source, { checker: asValidator(COUNTING), passes: 3 }, [
            ['1\n', ''],
            ['2\n', ''],
        ]);

    it('accepts what the validator accepts', async () => {
        expect((await guess(BISECT)).is).toBe('Accepted');
    });

    it.each(TALKS)('gives %s its verdict', async (_, source, verdict) => {
        expect((await guess(source, { limits: { ...limits, time: 0.7 } })).is).toBe(verdict);
    });

    it('is not spoilt for later programs by one that takes the rights from its folders', async () => {
        const spoiling =
            'import os\nfor folder in "/tmp", ".":\n    try: os.chmod(folder, 0)\n    except OSError: pass\nprint(1)';
        const alone = (source: string) => judge(source, { checker: { kind: 'tokens' } }, [['', '1\n']]);
        expect((await alone(spoiling)).is).toBe('Accepted');
        expect((await alone('print(1)')).is).toBe('Accepted');
        expect((await alone(spoiling)).is).toBe('Accepted');
        expect((await guess(BISECT)).is).toBe('Accepted');
        expect((await alone(spoiling)).is).toBe('Accepted');
        // Its validator is the first to find the folders in this state.
        expect((await count('print(input())')).is).toBe('Accepted');
    });

    it('keeps what both said, and why it was rejected', async () => {
        const { result } = await guess('input()\nprint(50, flush=True)\ninput()\nprint("?", flush=True)');
        expect(result?.tests[0]?.exec_info).toMatchObject({
            checker_message: 'not a number',
            transcript: '< ready\n< lower\n> 50\n> ?\n',
        });
    });

    it('ends a deadlock at the limit of the submission', async () => {
        const short = { limits: { ...limits, time: 0.3 } };
        expect((await guess('input()\ninput()', short)).is).toMatch(/^(suspect .*|TimeLimitExceeded)$/);
    });

    it('ends a flood by its output limit', async () => {
        const flood = 'while True: print("1" * 100)';
        expect((await guess(flood, { limits: { ...limits, time: 0.5 } })).is).toMatch(
            /^(OutputLimitExceeded|WrongAnswer)$/,
        );
    });

    const pairs = TALK_PAIRS.filter(({ notOnServers }) => notOnServers === undefined);
    it.each(pairs.map((pair) => [pair.name, pair] as const))('comes to what it must: %s', async (_, pair) => {
        const { source, problem } = stagePair(pair);
        const over = { limits: { ...limits, output: 1024 * 1024, time: pair.time ?? 2 } };
        const { is } = await judge(source, problem, [[pair.input ?? '', '']], over);
        expect(is).toMatch(typeof pair.is === 'string' ? new RegExp(`^${pair.is}$`) : pair.is);
    });

    it('asks the checker what an interactor wrote', async () => {
        const interactor = asValidator(INTERACTOR, 'testlib');
        const problem = { checker: { kind: 'tokens' }, interactive: true, interactor } as const;
        const tests = [['7\n', '8\n']] as const;
        expect((await judge('print(int(input()) + 1)', problem, tests)).is).toBe('Accepted');
        expect((await judge('print(int(input()) + 2)', problem, tests)).is).toBe('WrongAnswer');
        expect((await judge('input()\nprint()', problem, tests)).is).toBe('WrongAnswer');
    });

    it('runs a program again while the validator asks for it, which keeps what it wrote', async () => {
        expect((await count('print(input())')).is).toBe('Accepted');
        const { is, result } = await count('n = input()\nprint(n if int(n) < 3 else "x")');
        expect(is).toBe('WrongAnswer');
        expect(result?.tests[0]?.exec_info).toMatchObject({ checker_message: 'after 1;2;' });
    });

    it('is not held up by a validator that leaves pipes in place of files', async () => {
        const names = ['nextpass.in', 'judgemessage.txt', 'score.txt'];
        const pipes = asValidator(
            `import os, sys\nfor name in ${JSON.stringify(names)}: os.mkfifo(sys.argv[3] + name)\nsys.exit(42)`,
        );
        expect((await judge('print(1)', { checker: pipes, passes: 2 }, [['1\n', '']])).is).toBe('Accepted');
        expect((await count('print(input())')).is).toBe('Accepted');
    });

    it('says what is too large for the next pass, and does not go without it', async () => {
        const large = (name: string) =>
            asValidator(
                `import sys\nopen(sys.argv[3] + "nextpass.in", "w").write("1\\n")\nopen(sys.argv[3] + "${name}", "wb").truncate(40 << 20)\nsys.exit(42)`,
            );
        for (const [name, file] of [
            ['nextpass.in', 'nextpass.in'],
            ['notes', 'resume-run.tar'],
        ] as const)
            expect((await judge('print(1)', { checker: large(name), passes: 2 }, [['1\n', '']])).is).toMatch(
                new RegExp(`${file} is more than the \\d+ bytes`),
            );
    });

    it('judges passes that are talks', async () => {
        const pass = COUNTING.replace('said = sys', 'print(text.strip(), flush=True)\nsaid = sys');
        const problem = { checker: asValidator(pass), interactive: true, passes: 3 } as const;
        expect((await judge('print(input())', problem, [['1\n', '']])).is).toBe('Accepted');
        expect((await judge('print(input())', { ...problem, passes: 2 }, [['1\n', '']])).is).toMatch(
            /more than 2 passes/,
        );
    });

    it('gives programs files with names for their input and output', async () => {
        const problem = { namedFiles: { input: 'a.in', output: 'b.out' } };
        const source = 'open("b.out", "w").write(open("a.in").read() * 2)\nprint("noise")';
        expect((await judge(source, problem, [['7', '77']])).is).toBe('Accepted');
        expect((await judge(source, problem, [['7', '78']])).is).toBe('WrongAnswer');
    });

    it('leaves no files behind', async () => {
        for (let tries = 0; tries < 50 && (await reason.keptFiles()).length > 0; tries += 1)
            await new Promise((resolve) => setTimeout(resolve, 20));
        expect(await reason.keptFiles()).toEqual([]);
    });
});
