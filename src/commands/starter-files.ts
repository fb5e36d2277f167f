/*
 * What `resume-run init` writes for each kind of work: a small commented configuration and an input that runs unchanged.
 */

export const STARTER_KINDS = ['judge', 'exec', 'module', 'topics', 'matrix'] as const;

export type StarterKind = (typeof STARTER_KINDS)[number];

export interface Starter {
    /** Content by file name. */
    readonly files: Readonly<Record<string, string>>;
    /** The command line that runs the files. */
    readonly run: string;
}

/** The start of each configuration. */
const HEAD = `# Any option of resume-run by its name without dashes; resume-run --help lists them. Options on the command line and in
# the environment go before this file.
`;

const KEYS = `# Copy to .env. Keys are read from the environment and never stand in a configuration, a result or a log.
# OPENAI_API_KEY=
# AZURE_OPENAI_API_KEY=
# BIGMODEL_API_KEY=
# DEEPSEEK_API_KEY=
# DASHSCOPE_API_KEY=
# OPENROUTER_API_KEY=
`;

/** A server bundled with resume-run; it needs no key and calls no model. */
const DEMO = `# The demonstration server. Put the base URL of your service here, such as https://api.openai.com/v1, its model below, and
# its key into .env.
endpoint: http://demo.localhost/v1
`;

export const STARTERS: Readonly<Record<StarterKind, Starter>> = {
    judge: {
        run: 'resume-run',
        files: {
            'resume-run.config.yaml': `${HEAD}
datasets: problems.jsonl
dir: results

# CPU seconds for one test, at most.
timeout: 10

# Programs at once; the cores of this machine if absent.
# concurrency: 8

# Judge on sandbox servers instead of this machine.
# executor: sandbox-fusion
# endpoint: http://10.0.0.{1..4}:8080
`,
            'problems.jsonl': `${[
                {
                    id: 'sum',
                    tests: [
                        { input: '1 2\n', output: '3\n' },
                        { input: '-5 5\n', output: '0\n' },
                    ],
                    solutions: [{ language: 'PYTHON3', source: 'print(sum(map(int, input().split())))\n' }],
                    incorrect_solutions: [{ language: 'PYTHON3', source: 'print(3)\n' }],
                },
            ]
                .map((row) => JSON.stringify(row))
                .join('\n')}\n`,
        },
    },
    exec: {
        run: 'resume-run',
        files: {
            'resume-run.config.yaml': `${HEAD}
datasets: rows.csv
dir: results
executor: exec

# {name} and {count} are fields of the row. Exit code 0 means done; any other one is a failure, which is tried again.
command: [echo, "{name}", "{count}"]

# Wall seconds for one call.
timeout: 60

# Further tries of a call that failed.
retries: 2
`,
            'rows.csv': 'name,count\nfirst,1\nsecond,2\nthird,3\n',
        },
    },
    module: {
        run: 'resume-run',
        files: {
            'resume-run.config.yaml': `${HEAD}
datasets: rows.jsonl
dir: results
executor: module
module: task.mjs

# Wall seconds for one call.
timeout: 60

# Where calls run: thread, process, or async, which serves calls that mostly wait.
mode: thread
`,
            'task.mjs': `/** Called for each row. What it returns is stored; what it throws is a failure, which is tried again. */
export default async function run({ input }, { signal }) {
    signal.throwIfAborted();
    return { square: input.number ** 2 };
}
`,
            'rows.jsonl': '{"number": 1}\n{"number": 2}\n{"number": 3}\n',
        },
    },
    topics: {
        run: 'resume-run topics',
        files: {
            'resume-run.config.yaml': `${HEAD}
dir: results
topics-file: topics.txt

# Rounds over all topics; 0: round after round until stopped.
iterations: 2

${DEMO}model: demo-model

# {topic} is the topic.
prompt-template: "Write an analysis of this topic: {topic}"

# Requests at once.
concurrency: 4
`,
            'topics.txt': 'Battery recycling\nUrban heat\n',
            '.env.example': KEYS,
        },
    },
    matrix: {
        run: 'resume-run matrix --test-config matrix.yaml',
        files: {
            'resume-run.config.yaml': `${HEAD}
dir: results

${DEMO}
# Requests at once.
concurrency: 4
`,
            'matrix.yaml': `# Every combination of these is a cell, with so many instances. Raise num_instances later, and only the new ones run.
models: [demo-model]
prompt_types: [baseline, cot]
difficulty: [easy, hard]
num_instances: 2

# Any other dimension: its name and values.
# dimensions:
#     language: [en, zh]

rows: rows.jsonl

# {question} is a field of the row; coordinates of the cell can stand here, too.
prompts:
    baseline: "{question}"
    cot: "{question} Think step by step."
`,
            'rows.jsonl': '{"question": "What is 2 + 2?"}\n{"question": "What is 3 * 3?"}\n',
            '.env.example': KEYS,
        },
    },
};
