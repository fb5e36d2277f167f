import type { Attempt, OutputFile, RunResult, TestResult } from './entry.js';

/*
 * Output that is too long for a result file goes to a separate file below the results directory, named by its content: equal
 * outputs share one file, and the name in an entry determines what the file must hold.
 */

/** Folder in the results directory. */
export const OUTPUTS_FOLDER = '.outputs';

/** Names of files in `OUTPUTS_FOLDER`. */
export const OUTPUT_NAME = /^[0-9a-f]{64}$/;

/** How an entry names the file with that digest. @param sha256 64 hex digits */
export const makeOutputPath = (sha256: string): string => `${OUTPUTS_FOLDER}/${sha256}`;

/** A task that finished or was given up, reduced to the parts that can name output files. */
interface WithOutputs {
    readonly result?: object;
    readonly tests?: readonly TestResult[];
    readonly attempts?: readonly Pick<Attempt, 'run_result'>[];
}

/**
 * The output files that an entry, or a note of `failures` or `pending`, names. Data read from disk may hold anything: whatever
 * does not describe a file with a valid name is skipped.
 */
export function* listOutputFiles(noted: WithOutputs): Generator<OutputFile> {
    for (const attempt of defaultToEmpty(noted.attempts)) yield* listFilesOfRun(attempt.run_result);
    const judged: { readonly tests?: readonly TestResult[]; readonly messages_file?: OutputFile } =
        noted.result ?? {};
    if (isOutputFile(judged.messages_file)) yield judged.messages_file;
    for (const test of [...defaultToEmpty(judged.tests), ...defaultToEmpty(noted.tests)]) {
        yield* listFilesOfRun(test.exec_info?.run_result);
    }
}

function defaultToEmpty<T extends object>(list: readonly T[] | undefined): readonly T[] {
    return Array.isArray(list) ? list.filter((item) => typeof item === 'object' && item !== null) : [];
}

function* listFilesOfRun(run: RunResult | null | undefined): Generator<OutputFile> {
    for (const file of [run?.stdout_file, run?.stderr_file]) {
        if (isOutputFile(file)) yield file;
    }
}

const isOutputFile = (file: OutputFile | undefined): file is OutputFile =>
    typeof file?.sha256 === 'string' && OUTPUT_NAME.test(file.sha256);
