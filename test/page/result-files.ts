import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePlainName } from '../../src/checkpoint/result-file/names.js';

/*
 * Result files as a run writes them, with the verdicts that a test needs: weak tests, unexpected verdicts, failures, answers of
 * models, and contents that attack their viewer.
 */

export const SCRIPT = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';
const BIDI = 'safe\u202etxt.exe\u202c';
const ANSI = '\u001b[31mred\u001b[0m\u001b]0;title\u0007';
const LONG_LINE = 'x'.repeat(1024 * 1024);

interface EntryInput {
    readonly verdict: string;
    readonly language?: string;
    readonly source?: string;
    readonly time?: number;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly difference?: { readonly line: number; readonly expected: string; readonly got: string };
    readonly name?: string;
}

function attempt(verdict: string): object {
    return {
        attempt: 1,
        verdict,
        started_at: '2026-11-28T10:00:00.000Z',
        duration: 1.5,
        api_used: 'local',
        worker_id: 'thread-1',
        sandbox: 'bwrap',
    };
}

function judged(index: number, group: string, input: EntryInput): object {
    const {
        verdict,
        language = 'PYTHON3',
        source = 'print(sum(map(int, input().split())))\n',
        time = 0.2,
    } = input;
    const accepted = verdict === 'Accepted';
    const passed = {
        passed: true,
        cpu_time: time,
        wall_time: time,
        memory: 9e6,
        exec_info: { status: 'Success' },
    };
    const failed = {
        passed: false,
        name: input.name ?? 'secret/02',
        verdict,
        cpu_time: time,
        wall_time: time,
        memory: 9e6,
        exec_info: {
            status: 'Failed',
            run_result: {
                status: 'Finished',
                execution_time: time,
                return_code: verdict === 'RuntimeError' ? 1 : 0,
                stdout: input.stdout ?? '',
                stderr: input.stderr ?? '',
            },
            ...(input.difference === undefined ? {} : { first_difference: input.difference }),
        },
    };
    return {
        index,
        language,
        solution: source,
        result: { accepted, verdict, tests: accepted ? [passed, passed] : [passed, failed] },
        limits: { time: 2, memory: 268_435_456, output: 67_108_864 },
        attempts: [attempt(verdict)],
        fingerprint: `v1-sha256-${group}-${index}`,
    };
}

function writeSample(
    dir: string,
    id: string,
    right: readonly EntryInput[],
    wrong: readonly EntryInput[],
    more: object = {},
): void {
    const file = {
        id,
        solution_result: right.map((input, index) => judged(index, 'solution', input)),
        incorrect_solution_result: wrong.map((input, index) => judged(index, 'incorrect', input)),
        api_used: 'local',
        worker_id: 'thread-1',
        progress: {
            completed_solutions: right.length,
            total_solutions: right.length,
            completed_incorrect_solutions: wrong.length,
            total_incorrect_solutions: wrong.length,
            is_complete: true,
        },
        ...more,
    };
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, makePlainName(id)), JSON.stringify(file, null, 4));
}

/** Three problems: a weak one, one whose tests reject correct programs, and a sound one; some tasks failed. */
export function writeJudgedRun(dir: string): void {
    const wrong: EntryInput = {
        verdict: 'WrongAnswer',
        stdout: '41\n',
        difference: { line: 1, expected: '42', got: '41' },
    };
    writeSample(
        dir,
        'sum/weak',
        [{ verdict: 'Accepted' }],
        [wrong, { verdict: 'Accepted' }, { verdict: 'Accepted' }],
    );
    const crash = 'Traceback (most recent call last):\nZeroDivisionError: division by zero\n';
    writeSample(
        dir,
        'sum/strict',
        [
            { verdict: 'Accepted', time: 1.95 },
            { verdict: 'RuntimeError', stderr: crash, time: 0.1 },
        ],
        [wrong, { verdict: 'TimeLimitExceeded', time: 2.1 }],
        {
            failures: [
                {
                    group: 'incorrect_solution',
                    index: 2,
                    fingerprint: 'v1-sha256-failed',
                    reason: 'sandbox',
                    message: 'the sandbox did not start',
                    attempts: [],
                },
            ],
            skipped: [{ group: 'solution', index: 2, reason: 'its language is UNKNOWN in the dataset' }],
        },
    );
    writeSample(
        dir,
        'sum/sound',
        [{ verdict: 'Accepted', language: 'CPP', source: 'int main() { return 0; }\n' }],
        [wrong],
    );
}

/** Ids, sources, outputs and reasons that would run, reorder or break whatever shows them. */
export function writeHostileRun(dir: string): void {
    const attack: EntryInput = {
        verdict: 'WrongAnswer',
        language: SCRIPT,
        source: `${SCRIPT}\n</script><script>window.hacked = 3</script>\n${LONG_LINE}\n${BIDI}${ANSI}`,
        stdout: `${SCRIPT}${LONG_LINE}`,
        stderr: `${ANSI}${BIDI}${SCRIPT}\n=cmd|' /C calc'!A0Error`,
        difference: { line: 1, expected: `${SCRIPT}${LONG_LINE.slice(0, 3000)}`, got: BIDI },
        name: `${SCRIPT}${'n'.repeat(300)}`,
    };
    const failure = {
        group: 'solution',
        index: 1,
        fingerprint: SCRIPT,
        reason: 'sandbox',
        message: `${SCRIPT}${ANSI}${LONG_LINE}`,
        attempts: [],
    };
    writeSample(dir, SCRIPT.slice(0, 40), [attack], [{ verdict: 'Accepted' }], { failures: [failure] });
    writeSample(dir, BIDI, [attack], []);
    writeSample(dir, `${'long-id-'.repeat(20)}end`, [attack], []);
    writeSample(dir, '=1+1', [{ verdict: 'Accepted' }], []);
}

/** Answers of two models to twelve questions, some with a cost. */
export function writeModelRun(dir: string): void {
    mkdirSync(dir, { recursive: true });
    for (let question = 0; question < 12; question += 1) {
        const answers = ['alpha', 'beta'].flatMap((model, at) =>
            ['baseline', 'cot'].map((prompt, way) => {
                const accepted = (question + at + way) % 3 > 0;
                const verdict = accepted ? 'Accepted' : 'WrongAnswer';
                return {
                    index: 2 * at + way,
                    result: {
                        accepted,
                        verdict,
                        model,
                        prompt_type: prompt,
                        messages: [{ role: 'user', content: `What is ${question}? ${SCRIPT}` }],
                        answer: `It is ${question}. ${SCRIPT}`,
                        expected: String(question),
                        scorer: 'exact',
                        score: accepted ? 1 : 0,
                        score_reason: 'compared as text',
                        usage: { prompt_tokens: 40, completion_tokens: 10 },
                        cost: 0.001 * (1 + at),
                    },
                    attempts: [attempt(verdict)],
                    fingerprint: `v1-sha256-${at}-${way}`,
                };
            }),
        );
        const progress = { completed_iterations: 4, total_iterations: 4, is_complete: true };
        const file = {
            id: `question-${question}`,
            iteration_result: answers,
            api_used: 'chat',
            worker_id: 'a',
            progress,
        };
        writeFileSync(join(dir, `question-${question}.json`), JSON.stringify(file, null, 4));
    }
}
