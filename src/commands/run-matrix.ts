import { fileURLToPath } from 'node:url';
import type { RunPlan } from '../compose.js';
import { generateMatrix, type MatrixRequest } from '../compose/matrix.js';
import { print } from '../compose/output.js';
import type { GivenOptions, Resolved } from '../config.js';
import { choosePhases, readMatrixConfig } from '../config/matrix-config.js';
import { DEMO_URL } from '../demo/demo-endpoint.js';
import { renderMatrix, measureMatrix } from '../report/matrix-table.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import { startRun } from './start-run.js';

interface MatrixValues {
    readonly 'test-config': string | null;
    readonly phase: readonly string[];
    readonly models: readonly string[];
    readonly 'prompt-types': readonly string[];
    readonly difficulty: readonly string[];
    readonly 'task-types': readonly string[];
    readonly 'tool-success-rate': readonly string[];
    readonly dimension: readonly string[];
    readonly 'num-instances': string | null;
    readonly rows: readonly string[];
    readonly 'top-up-from': string | null;
    readonly 'count-imported': boolean;
}

const DEMO_ROWS = fileURLToPath(new URL('../../examples/matrix/tasks.csv', import.meta.url));

/**
 * The options of `--demo`, merged with the other options of the command line.
 * @throws UserError if a server is given too
 */
export function makeDemoOptions(given: GivenOptions): GivenOptions {
    if (given['endpoint'] !== undefined)
        throw new UserError('--demo brings its own server: leave --base-url out');
    const demo = {
        dir: 'matrix-demo',
        models: ['demo-large', 'demo-small'],
        'prompt-types': ['all'],
        'tool-success-rate': ['0.8'],
        difficulty: ['easy'],
        'task-types': ['simple_task', 'data_pipeline'],
        'num-instances': '3',
        rows: [DEMO_ROWS],
        'prompt-template': '{question}',
    };
    const missing = Object.entries(demo).filter(([name]) => given[name] === undefined);
    return { ...Object.fromEntries(missing), endpoint: DEMO_URL };
}

export async function runMatrix(
    resolved: Pick<Resolved, 'config' | 'announcements' | 'env' | 'sources'>,
    values: MatrixValues,
): Promise<ExitCode> {
    const config = await readMatrixConfig(values['test-config'], {
        models: values.models,
        promptTypes: values['prompt-types'],
        difficulty: values.difficulty,
        taskTypes: values['task-types'],
        toolSuccessRate: values['tool-success-rate'],
        dimensions: values.dimension,
        numInstances: values['num-instances'],
        rows: values.rows,
    });
    const blocks = choosePhases(config, values.phase);
    const { sources, config: run } = resolved;
    if (run.executor.kind === 'chat' && sources.model === 'default') {
        const nameless = blocks.find(({ dimensions }) => dimensions['model'] === undefined);
        if (nameless !== undefined)
            throw new UserError('no model is named: give --models, or --model for one that all cells ask');
    }
    const database = values['top-up-from'];
    const matrix = generateMatrix({
        blocks,
        rows: config.rows,
        prompts: config.prompts,
        ...(await countImported(database, values['count-imported'])),
    });
    const phases = config.phases.filter(({ name }) => blocks.some(({ phase }) => phase === name));
    // Nothing is known about cells outside of the part: they are not in `due`, and do not have to be done.
    const measure = ({ due }: RunPlan) =>
        measureMatrix(
            { all: matrix.askedCells(), chosen: matrix.askedCells(run.part) },
            phases,
            new Map(due.map((one) => [one.sample, one.due])),
        );
    const { json, quiet } = run.display;
    return startRun(resolved, {
        generated: matrix.dataset,
        ...(database === null ? {} : { topUpFrom: database }),
        describePlan: (plan) => ({ matrix: measure(plan) }),
        onPlan: (plan) => {
            if (!json && !quiet) print(renderMatrix(measure(plan)));
        },
    });
}

/** @throws UserError if no database is named, or there is none */
async function countImported(
    database: string | null,
    isWanted: boolean,
): Promise<Pick<MatrixRequest, 'imported'>> {
    if (!isWanted) return {};
    if (database === null) throw new UserError('--count-imported needs --top-up-from <database>');
    const { readImportedCounts } = await import('../compose/collect/count-imported.js');
    return { imported: { database, countOf: await readImportedCounts(database) } };
}
