import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RUN_OPTIONS } from '../config/run-options.js';
import type { AskEngine } from '../results/ask/engine.js';
import { UserError } from '../util/user-error.js';
import { ANSWER_OPTIONS, chooseTarget, writeAnswer } from './answer-output.js';
import { type ComparedRun, withPairEngine } from './ask-engine.js';
import { defineCommand } from './command.js';
import { RECORD_OPTIONS } from './records-of.js';

/** How many disagreements are listed if `--rows` is not given. */
const LISTED = 50;

export const command = defineCommand({
    usage: 'compare <runA> <runB> [--database <folder>] [--format table|json|csv|markdown|parquet]',
    about:
        'Compares two runs on the tasks that they share: where they agree, where they disagree, and whether ' +
        "that could be chance (McNemar's exact test)",
    arguments: { min: 2, max: 2, what: 'two results directories, or two run ids of a database' },
    options: {
        config: RUN_OPTIONS.config,
        database: RECORD_OPTIONS.database,
        output: RECORD_OPTIONS.output,
        ...ANSWER_OPTIONS,
    },
    examples: [
        { line: 'resume-run compare results-gcc12 results-gcc14', about: 'Two results directories' },
        {
            line: 'resume-run compare <id of a run> <id of a run> --database database',
            about: 'Two runs of a database',
        },
    ],
    run: async ({ values, positionals, cwd }) => {
        const target = chooseTarget(values);
        const first = await findRun(positionals[0] ?? '', cwd, values.database);
        const second = await findRun(positionals[1] ?? '', cwd, values.database);
        const [{ compareSides }, { FileNames }, { asTyped }] = await Promise.all([
            import('../results/ask/compare.js'),
            import('../checkpoint/result-file/names.js'),
            import('../compose/output.js'),
        ]);
        const sides = { first, second };
        const linkTo = (side: 'first' | 'second', sample: string, group: string, index: number): string => {
            const run = sides[side];
            if (run.kind === 'run') return `${run.run} ${sample} ${group} ${index}`;
            const names = [...new FileNames([sample]).candidates(sample)];
            const name = names.find((one) => existsSync(join(run.dir, one))) ?? names[0] ?? sample;
            return `${asTyped(join(run.dir, name))} ${group} ${index}`;
        };
        await withPairEngine(first, second, async (engine, scratch) => {
            await requireRecords(engine, 'first', first);
            await requireRecords(engine, 'second', second);
            const answer = await compareSides(engine, { limit: values.rows ?? LISTED, linkTo });
            await writeAnswer(answer, target, scratch);
        });
        return 0;
    },
});

/** @throws UserError (exit 2) if the name is neither a directory nor a run of a database */
async function findRun(name: string, cwd: string, database: string | null): Promise<ComparedRun> {
    if (database !== null) return { kind: 'run', run: name, database };
    if (name === '') throw new UserError('expected a results directory, got an empty name');
    const dir = resolve(cwd, name);
    const stats = await stat(dir).catch(() => null);
    if (stats?.isDirectory() === true) return { kind: 'directory', dir };
    if (stats !== null) throw new UserError(`${name}: expected a results directory, got a file`);
    throw new UserError(
        `${name}: there is no results directory of that name; to name a run of a database, add --database`,
    );
}

/** Refuses a run id without records, which would look like a run without tasks. @throws UserError (exit 2) */
async function requireRecords(engine: AskEngine, side: 'first' | 'second', run: ComparedRun): Promise<void> {
    const [row] = await engine.rows(`SELECT count(*) AS records FROM ${side}`);
    if (run.kind === 'run' && Number(row?.['records']) === 0)
        throw new UserError(
            `${run.database} has no run ${run.run}: \`resume-run analyze --database ... --sql "select * from runs"\` lists them`,
        );
}
