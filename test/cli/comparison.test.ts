import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

interface Row {
    readonly id: string;
    readonly output: string;
    readonly prints: string;
}

const shell = (text: string): string => `echo "${text}"`;

/** A row of code_contests whose only solution prints `prints`. Its language is one from the config file, for speed. */
const codeContests = ({ id, output, prints }: Row): string =>
    `${JSON.stringify({
        id,
        solutions: { language: ['SHELL'], solution: [shell(prints)] },
        incorrect_solutions: { language: [], solution: [] },
        public_tests: { input: [''], output: [output] },
    })}\n`;

const commonOj = ({ id, output, prints }: Row): string =>
    `${JSON.stringify({
        id,
        canonical_solution: { shell: shell(prints) },
        test: [{ input: { stdin: '' }, output: { stdout: output } }],
    })}\n`;

const taco = ({ id, output, prints }: Row): string =>
    `${JSON.stringify({
        id,
        question: 'q',
        solutions: JSON.stringify([shell(prints)]),
        input_output: JSON.stringify({ inputs: [''], outputs: [output] }),
    })}\n`;

const liveCodeBench = ({ id, output, prints }: Row): string =>
    `${JSON.stringify({
        question_id: id,
        solutions: [{ language: 'SHELL', source: shell(prints) }],
        public_test_cases: JSON.stringify([{ input: '', output, testtype: 'stdin' }]),
    })}\n`;

describe('how outputs of known formats are compared', () => {
    let cwd = '';
    /** Starts the command; `said` is all that it printed. */
    const start = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
        const { code, stdout, stderr } = await callCli([...args, '--dir', 'out', '--sandbox', 'none'], {
            cwd,
        });
        return { code, said: stdout + stderr };
    };
    const verdictOf = (id: string): string =>
        (
            JSON.parse(readFileSync(join(cwd, 'out', `${id}.json`), 'utf8')) as {
                readonly solution_result: readonly { readonly result: { readonly verdict: string } }[];
            }
        ).solution_result[0]?.result.verdict ?? '';
    const runFile = (): { options: Record<string, unknown>; comparison?: unknown } =>
        JSON.parse(readFileSync(join(cwd, 'checkpoints/out/run.json'), 'utf8')) as {
            options: Record<string, unknown>;
            comparison?: unknown;
        };

    beforeEach(() => {
        cwd = tempDir();
        const shellRow = { run: ['sh', '{source}'], extensions: ['.sh'] };
        // TACO's solutions are Python; here they are shell scripts too.
        writeFileSync(
            join(cwd, 'resume-run.config.json'),
            JSON.stringify({ languages: { SHELL: shellRow, PYTHON3: shellRow } }),
        );
    });

    it.each([
        ['code-contests', codeContests, 'codecontests', '0.333333', '0.3333334'],
        ['common-oj', commonOj, 'codecontests', 'YES', 'Yes'],
        ['taco-apps', taco, 'apps', '0.333333', '0.3333334'],
        ['live-code-bench', liveCodeBench, 'livecodebench', '0.5', '0.50'],
    ])('%s by its own rule', async (format, rowOf, checker, output, prints) => {
        writeFileSync(join(cwd, 'rows.jsonl'), rowOf({ id: 'a', output, prints }));
        const { code, said } = await start('rows.jsonl');
        expect([code, verdictOf('a')]).toEqual([0, 'Accepted']);
        expect(said).toContain(`output compared by ${checker} (${format})`);
        expect(runFile().comparison).toEqual({ by: 'format', formats: { [format]: checker } });
        expect((await callCli(['report', '--dir', 'out'], { cwd })).stdout).toContain(
            `output compared by ${checker} (${format})`,
        );
    });

    it('CommonOJ does not take 1000001 for 1000000, though its own server does', async () => {
        writeFileSync(join(cwd, 'rows.jsonl'), commonOj({ id: 'a', output: '1000000', prints: '1000001' }));
        await start('rows.jsonl');
        expect(verdictOf('a')).toBe('WrongAnswer');
    });

    describe('in a directory of version 0.1', () => {
        const rows = (count: number): string =>
            Array.from({ length: count }, (_, i) =>
                codeContests({ id: `s${i}`, output: '0.5', prints: '0.50' }),
            ).join('');

        /** A directory as version 0.1 left it: entries judged by tokens, and a run.json that does not mention it. */
        const begin = async (count: number): Promise<void> => {
            writeFileSync(join(cwd, 'rows.jsonl'), rows(count));
            expect((await start('rows.jsonl', '--checker', 'tokens', '-q')).code).toBe(0);
            expect(verdictOf('s0')).toBe('WrongAnswer');
            const { comparison, ...run } = runFile();
            expect(comparison).toEqual({ by: 'checker', formats: { 'code-contests': 'tokens' } });
            run.options['checker'] = null;
            writeFileSync(join(cwd, 'checkpoints/out/run.json'), JSON.stringify(run));
            writeFileSync(
                join(cwd, 'rows.jsonl'),
                rows(count) + codeContests({ id: 'new', output: '0.5', prints: '0.50' }),
            );
        };

        it.each(['with its run.json', 'without it'])('tokens are kept and named, %s', async (which) => {
            await begin(2);
            if (which === 'without it') rmSync(join(cwd, 'checkpoints'), { recursive: true });
            const { code, said } = await start('rows.jsonl');
            expect(code).toBe(0);
            expect(said).toContain('2 finished, 1 to run');
            expect(verdictOf('new')).toBe('WrongAnswer');
            expect(said).toContain(
                'results in this directory were compared by tokens, so all of its tasks are compared that way; ' +
                    'to switch to codecontests (code-contests), use --checker format --rerun changed',
            );
            expect(said).toContain('output compared by tokens (code-contests)');
            expect(runFile().comparison).toEqual({ by: 'tokens', formats: { 'code-contests': 'tokens' } });
        });

        it('--checker format --rerun changed switches all of it, and later starts stay with that', async () => {
            await begin(25);
            const guarded = await start('--checker', 'format');
            expect(guarded.code).toBe(2);
            expect(guarded.said).toContain('25 finished tasks would run again');
            expect((await start('--checker', 'format', '--rerun', 'changed', '-q')).code).toBe(0);
            expect([verdictOf('s0'), verdictOf('s24'), verdictOf('new')]).toEqual([
                'Accepted',
                'Accepted',
                'Accepted',
            ]);
            const again = await start();
            expect([again.code, again.said]).toEqual([0, expect.stringContaining('Nothing left to do')]);
            rmSync(join(cwd, 'checkpoints'), { recursive: true });
            const recognised = await start('rows.jsonl');
            expect(recognised.said).toContain('Nothing left to do');
        });
    });
});
