import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makePlainName } from '../../src/checkpoint/result-file/names.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/*
 * Result files in which every text tries to control the terminal: to colour or clear it, to reverse the reading order, or to
 * start a line of its own. The commands use different writers, and nothing may get through any of them.
 */

const STEERS = 'x\nFORGED \u001b[31m\u001b[2J\u009b1m\u007f\u061c\u202e\u2066\u2028';
/** Except line ends and tabs. */
const STEERING = /(?![\t\n\r])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

const attempt = (how: object) => ({
    attempt: 1,
    ...how,
    message: STEERS,
    started_at: '2026-11-28T10:00:00.000Z',
    duration: 1.5,
    api_used: STEERS,
    worker_id: STEERS,
    sandbox: STEERS,
});

const entry = (verdict: string, solution = STEERS) => ({
    index: 0,
    language: STEERS,
    name: STEERS,
    solution,
    result: {
        accepted: verdict === 'Accepted',
        verdict,
        score: 1,
        best_score: 2,
        groups: [{ name: STEERS, verdict, score: 1 }],
        compiler: STEERS,
        adapted: [STEERS],
        tests: [
            {
                passed: verdict === 'Accepted',
                name: STEERS,
                verdict,
                cpu_time: 0.1,
                wall_time: 0.1,
                memory: 1e6,
                exec_info: {
                    status: 'Failed',
                    run_result: {
                        status: 'Error',
                        execution_time: 0.1,
                        return_code: null,
                        signal: STEERS,
                        stdout: STEERS,
                        stderr: STEERS,
                    },
                    checker_message: STEERS,
                    first_difference: { line: 1, expected: STEERS, got: STEERS },
                    transcript: `< ${STEERS}\n> ${STEERS}`,
                },
            },
        ],
    },
    limits: { time: 2, memory: 268_435_456, output: 67_108_864 },
    expected: ['Accepted'],
    expected_scores: [{ group: STEERS, min: 2, max: 2 }],
    attempts: [attempt({ verdict })],
    fingerprint: 'v1-sha256-a',
});

function writeResults(dir: string, id = STEERS, solution = STEERS): void {
    const file = {
        id,
        solution_result: [entry('WrongAnswer', solution)],
        incorrect_solution_result: [entry('Accepted')],
        [`${STEERS}_result`]: [entry('RuntimeError')],
        api_used: STEERS,
        worker_id: STEERS,
        progress: {
            completed_solutions: 1,
            total_solutions: 3,
            completed_incorrect_solutions: 1,
            total_incorrect_solutions: 1,
            [`completed_${STEERS}s`]: 1,
            [`total_${STEERS}s`]: 1,
            is_complete: false,
        },
        failures: [
            {
                group: 'solution',
                index: 1,
                fingerprint: 'v1-sha256-b',
                reason: 'sandbox',
                message: STEERS,
                attempts: [attempt({ failure: 'sandbox' })],
            },
        ],
        skipped: [{ group: 'solution', index: 2, reason: STEERS }],
    };
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, makePlainName(id)), JSON.stringify(file, null, 4));
}

const LINES: readonly (readonly string[])[] = [
    ['show', STEERS, 'solution', '0'],
    ['show', STEERS, 'incorrect_solution', '0'],
    ['show', STEERS, 'solution', '1'],
    ['show', STEERS, 'solution', '2'],
    ['show', STEERS, 'solution', '7'],
    ['show', STEERS, 'solution', '0', '--json'],
    ['status'],
    ['status', '--json'],
    ['report'],
    ['report', '--json'],
    ['report', '--csv'],
    ['report', '--markdown'],
    ['report', '--junit'],
    ['report', '--github'],
    ['analyze', '--by', 'language,group'],
    ['analyze', '--by', 'language,group', '--json'],
    ['export'],
    ['check'],
    ['check', '--json'],
];

it.each(LINES.map((line) => [JSON.stringify(line.join(' ')), line] as const))(
    'nothing that results hold steers the terminal: %s',
    async (_, line) => {
        const cwd = tempDir();
        writeResults(join(cwd, 'out'));
        const { stdout, stderr } = await callCli([...line, '--dir', 'out'], { cwd });
        const text = stdout + stderr;
        // Otherwise the test has not tried anything.
        if (line[0] !== 'check') expect(text).toContain('FORGED');
        expect(text).not.toMatch(STEERING);
        // Cells of CSV and XML may span several lines.
        if (!line.includes('--csv') && !line.includes('--junit')) expect(text).not.toMatch(/^FORGED/m);
        if (line.includes('--json') && line[0] !== 'check')
            expect(JSON.stringify(JSON.parse(stdout))).toContain('FORGED');
    },
);

it('a source is shown as it is: an escape that its author wrote stays two characters', async () => {
    const cwd = tempDir();
    writeResults(join(cwd, 'out'), 'p', 'print("a\\tb")\n\tpass\n');
    const { stdout } = await callCli(['show', 'p', 'solution', '0', '--dir', 'out'], { cwd });
    expect(stdout).toContain('Source\n  print("a\\tb")\n      pass\n');
});
