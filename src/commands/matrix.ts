import { MATRIX_PRESETS } from '../config/matrix-presets.js';
import type { OptionTable } from '../config/option.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { defineTaskCommand } from './command.js';

const DIMENSION = {
    kind: 'text',
    repeatable: true,
    takesSeveral: true,
    default: [],
    placeholder: '<value...>',
    group: 'Matrix',
    decides: 'tasks',
    effect: 'results of cells that are no longer named stay where they are',
} as const;

const OPTIONS = {
    'test-config': {
        kind: 'path',
        default: null,
        placeholder: '<file>',
        group: 'Matrix',
        about: 'Configuration of the matrix, JSON or YAML: dimensions, prompts, rows, phases; flags go before it',
        decides: 'tasks',
        effect: 'results of cells that are no longer named stay where they are',
    },
    phase: {
        kind: 'text',
        repeatable: true,
        default: [],
        defaultText: 'all, in order',
        placeholder: '<name>',
        group: 'Matrix',
        about: 'Run one phase of the configuration',
        decides: 'run',
    },
    models: { ...DIMENSION, about: 'Models' },
    'prompt-types': {
        ...DIMENSION,
        about: 'Prompt types; all: baseline, cot, optimal; flawed: seven with a flaw; all_with_flawed: both',
    },
    difficulty: { ...DIMENSION, about: 'Difficulties; all: very_easy, easy, medium, hard, very_hard' },
    'task-types': {
        ...DIMENSION,
        about: 'Kinds of tasks; all: simple_task, basic_task, data_pipeline, api_integration, multi_stage_pipeline',
    },
    'tool-success-rate': { ...DIMENSION, about: 'Rates at which simulated tools succeed, such as 0.8' },
    dimension: {
        ...DIMENSION,
        placeholder: '<name=values...>',
        about: 'Any other dimension, such as language=en,zh',
    },
    'num-instances': {
        kind: 'text',
        default: null,
        defaultText: '20',
        placeholder: '<n>',
        group: 'Matrix',
        about: 'Instances of each cell; 20x4: 20 rows, each 4 times',
        decides: 'tasks',
        effect: 'more: the missing ones run; fewer: finished ones stay',
    },
    rows: {
        kind: 'path',
        repeatable: true,
        default: [],
        placeholder: '<file>',
        group: 'Matrix',
        about: 'Rows that prompts are made from (JSONL, CSV); a field named as a dimension says which cells a row is for',
        decides: 'tasks',
        effect: 'instances whose row changes run again',
    },
    'top-up-from': {
        kind: 'path',
        default: null,
        placeholder: '<database>',
        group: 'Matrix',
        about: 'Adopt results of a results database for instances without one: those asked in just the same way',
        decides: 'run',
    },
    'count-imported': {
        kind: 'flag',
        default: false,
        group: 'Matrix',
        about: 'With --top-up-from: runs that the database counts without records are done too; fixed at the first use',
        decides: 'run',
    },
    demo: {
        kind: 'flag',
        default: false,
        group: 'Matrix',
        about: 'Run a small matrix against a local server that needs no key and no network, into matrix-demo',
        decides: 'run',
        only: 'command line',
    },
} as const satisfies OptionTable;

export const command = defineTaskCommand({
    usage: 'matrix [options]',
    about:
        'Asks models every combination of dimensions (models, prompt types, difficulties, ...), a number of instances each. ' +
        'A cell is a result file; the same command, or resume-run --dir, runs just what is missing',
    options: { ...OPTIONS, ...RUN_OPTIONS },
    presets: MATRIX_PRESETS,
    examples: [
        { line: 'resume-run matrix --demo', about: 'See it run against a local server, with no key' },
        {
            line: 'resume-run matrix --test-config m.json --base-url http://127.0.0.1:8000/v1',
            about: 'All phases, in order; the same line resumes after any kill',
        },
        {
            line: 'resume-run matrix --test-config phases.json --phase 5.1 --dry-run',
            about: 'What one phase would still run',
        },
        {
            line: 'resume-run matrix --models a b --prompt-types all --rows t.jsonl',
            about: 'Without a configuration; a higher --num-instances tops up',
        },
    ],
    run: async ({ given, resolve }) => {
        const { runMatrix, makeDemoOptions } = await import('./run-matrix.js');
        const resolved = await resolve([], given['demo'] === true ? makeDemoOptions(given) : {});
        return runMatrix(resolved, resolved.values);
    },
});
