import type { RunResult } from './entry.js';
import { isJsonObject, type JsonObject } from './json.js';

/** The outcome of a task that is not a judged program. */
export interface Work {
    /** The run of a command, with what it printed if output is kept. */
    readonly run: RunResult | null;
    /** What a function, or a language model's answer, returned besides its verdict. */
    readonly returned: JsonObject | null;
}

/**
 * What a command printed or a function returned, from the entry of a result file.
 * @returns null for a program that was judged by tests
 */
export function findWork({
    result,
    language,
}: {
    readonly result: unknown;
    readonly language?: unknown;
}): Work | null {
    if (language !== undefined || !isJsonObject(result)) return null;
    const { accepted: _, verdict: __, tests, ...returned } = result;
    if (!Array.isArray(tests))
        return { run: null, returned: Object.keys(returned).length === 0 ? null : returned };
    const [test] = tests;
    const info = isJsonObject(test) ? test['exec_info'] : undefined;
    const run = isJsonObject(info) ? info['run_result'] : undefined;
    // exec.ts wrote it, in this shape.
    return tests.length === 1 && isJsonObject(run)
        ? { run: run as Partial<RunResult> as RunResult, returned: null }
        : null;
}
