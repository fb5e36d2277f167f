import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes a dataset of tasks that are not programs, in the general format. */
export async function writeTasks(folder: string, samples: number, tasks: number): Promise<string> {
    const path = join(folder, `tasks-${samples}x${tasks}.jsonl`);
    const stream = createWriteStream(path);
    const iteration = Array.from({ length: tasks }, (_, n) => ({ n }));
    for (let sample = 0; sample < samples; sample += 1) {
        const row = JSON.stringify({ id: `sample-${sample}`, groups: { iteration } });
        if (!stream.write(`${row}\n`)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'close');
    return path;
}

/** Writes one problem in the plain format with many correct submissions. */
export async function writeProblem(
    folder: string,
    problem: {
        readonly id: string;
        readonly tests: number;
        readonly submissions: number;
        readonly language: string;
        readonly source: (number: number) => string;
        /** What the tests expect for the input `1 2`. */
        readonly answer?: string;
    },
): Promise<string> {
    const path = join(folder, `${problem.id}.jsonl`);
    const row = {
        id: problem.id,
        time_limit: 10,
        tests: Array.from({ length: problem.tests }, () => ({
            input: '1 2\n',
            output: problem.answer ?? '3\n',
        })),
        solutions: Array.from({ length: problem.submissions }, (_, number) => ({
            language: problem.language,
            source: problem.source(number),
        })),
    };
    await writeFile(path, `${JSON.stringify(row)}\n`);
    return path;
}

/** Writes a module for `--executor module`. */
export async function writeModule(folder: string, name: string, source: string): Promise<string> {
    const path = join(folder, `${name}.mjs`);
    await writeFile(path, source);
    return path;
}
