import { z } from 'zod';
import type { Failure } from '../../../model/failure.js';
import type { Task } from '../../../model/task.js';
import { getInput } from '../../task-input.js';
import { codeBlocks, extractCode } from './extract-code.js';
import type { ProgramJudge } from './program-judge.js';
import { type AnswerScorer, type Scored, scoringFailure } from './scoring.js';

/*
 * The scorer of HumanEval (https://github.com/openai/human-eval): prompt, answer, test and check(entry_point) form one program.
 * An answer is either a completion of the prompt, as base models give it, or a text with the whole function, as chat models do.
 */

/** The fields of a row that it needs. */
const problem = z.object({ prompt: z.string(), test: z.string(), entry_point: z.string().regex(/^\w+$/) });

type Problem = z.infer<typeof problem>;

/** Printed at the very end of the program. A program that exits before all tests have run does not print it. */
const END = 'all tests passed';

export function createHumanEvalScorer(judge: ProgramJudge, codeTimeout: number): AnswerScorer {
    return {
        isQuick: false,
        check: (task): Failure | null => (readProblem(task) === null ? NO_PROBLEM : null),
        score: (answer, task, context): Promise<Scored> => {
            const found = readProblem(task);
            if (found === null) return Promise.resolve({ kind: 'failed', failure: NO_PROBLEM });
            const program = {
                source: buildRunner(buildProgram(found, answer)),
                language: 'PYTHON3',
                tests: [{ name: 'check', input: END, output: END }],
                checker: { kind: 'tokens' },
                time: codeTimeout,
                memory: null,
            } as const;
            return judge.score(program, task, context);
        },
        close: () => judge.close(),
    };
}

const NO_PROBLEM = scoringFailure(
    '--scorer humaneval needs rows with prompt, test and entry_point, such as those of HumanEval.jsonl',
);

function readProblem(task: Task): Problem | null {
    const parsed = problem.safeParse(getInput(task));
    return parsed.success ? parsed.data : null;
}

/** The prompt completed by the answer, with its tests. */
export function buildProgram({ prompt, test, entry_point: entry }: Problem, answer: string): string {
    const code = codeBlocks(answer).length === 0 ? answer : (extractCode(answer, 'PYTHON3')?.text ?? answer);
    // A whole function overrides the prompt's, but may need its imports and helpers.
    const isWhole = new RegExp(`^(async +)?def +${entry}\\b`, 'm').test(code);
    return `${prompt}${isWhole ? '\n' : ''}${code}\n\n${test}\n\ncheck(${entry})\n`;
}

/**
 * A program that runs another one as the HumanEval harness does, with its output discarded, and prints the line read from stdin
 * once it has finished.
 */
function buildRunner(program: string): string {
    return [
        'import os, sys',
        'end = sys.stdin.readline()',
        'out = os.dup(1)',
        'os.dup2(os.open(os.devnull, os.O_WRONLY), 1)',
        `exec(compile(${JSON.stringify(program)}, "<answer>", "exec"), {"__name__": "__main__"})`,
        'os.write(out, end.encode())',
        '',
    ].join('\n');
}
