import { z } from 'zod';
import type { CapturedRun } from '../../model/entry.js';
import { describeParseError, NestingError, parseBody } from '../../util/parse-body.js';
import type { ServerRun } from './server-run.js';
import type { Reading } from './session.js';

/*
 * SandboxFusion's two calls as data: what is sent, and how the answers are read. An answer of another shape means a broken
 * server; the judged program is never the cause.
 */

const number = z.number().finite();

const commandResult = z.object({
    status: z.enum(['Finished', 'Error', 'TimeLimitExceeded']),
    execution_time: number.nullish(),
    return_code: z.number().int().nullish(),
    stdout: z.string().nullish(),
    stderr: z.string().nullish(),
});

const runInfo = z.object({
    status: z.enum(['Success', 'Failed', 'SandboxError']),
    message: z.string().nullish(),
    compile_result: commandResult.nullish(),
    run_result: commandResult.nullish(),
});

const submitAnswer = z.object({
    accepted: z.boolean(),
    tests: z.array(z.object({ passed: z.boolean(), exec_info: runInfo })),
});

export interface FusionSubmission {
    readonly accepted: boolean;
    readonly tests: readonly { readonly passed: boolean; readonly info: ServerRun }[];
}

/** Body of a `/run_code` request. Times in seconds. */
export interface RunCodeBody {
    readonly language: string;
    readonly code: string;
    readonly stdin: string;
    readonly compile_timeout: number;
    readonly run_timeout: number;
    readonly memory_limit_MB: number;
    readonly files: Readonly<Record<string, string>>;
    readonly fetch_files: readonly string[];
}

export function readRunCode(body: Buffer): Reading<ServerRun> {
    const parsed = parseAnswer(runInfo, body);
    return 'value' in parsed ? readInfo(parsed.value) : parsed;
}

/** The same for a request with a memory limit, which the server may be unable to set because its own hard limits are lower. */
export function readLimitedRunCode(body: Buffer): Reading<ServerRun | 'limit refused'> {
    const parsed = parseAnswer(runInfo, body);
    if (!('value' in parsed)) return parsed;
    const { status, message } = parsed.value;
    if (status === 'SandboxError' && message?.includes('preexec_fn') === true)
        return { value: 'limit refused' };
    return readInfo(parsed.value);
}

export function readSubmission(body: Buffer): Reading<FusionSubmission> {
    const parsed = parseAnswer(submitAnswer, body);
    if (!('value' in parsed)) return parsed;
    const tests: FusionSubmission['tests'][number][] = [];
    for (const test of parsed.value.tests) {
        const info = readInfo(test.exec_info);
        if (!('value' in info)) return info;
        tests.push({ passed: test.passed, info: info.value });
    }
    if (parsed.value.accepted !== tests.every((test) => test.passed)) {
        return { broken: 'the answer contradicts itself: `accepted` does not follow from `tests`' };
    }
    return { value: { accepted: parsed.value.accepted, tests } };
}

function readInfo(info: z.infer<typeof runInfo>): Reading<ServerRun> {
    if (info.status === 'SandboxError')
        return { broken: `SandboxError${info.message ? `: ${firstLine(info.message)}` : ''}` };
    const compile = normalise(info.compile_result);
    const run = normalise(info.run_result);
    if (run === null && compile === null)
        return { broken: 'the answer has neither a compile result nor a run result' };
    if (run === null && compile !== null && compile.status === 'Finished' && compile.return_code === 0) {
        return { broken: 'the program was compiled, but the answer has no run result' };
    }
    if (run?.status === 'Error' || compile?.status === 'Error') {
        return {
            broken: `the sandbox failed: ${firstLine(run?.stderr || compile?.stderr || 'no reason given')}`,
        };
    }
    if (run?.status === 'Finished' && run.return_code === null)
        return { broken: 'a finished run without a return code' };
    return { value: { compile, run } };
}

function normalise(result: z.infer<typeof commandResult> | null | undefined): CapturedRun | null {
    if (result === null || result === undefined) return null;
    return {
        status: result.status,
        execution_time: result.execution_time ?? 0,
        return_code: result.return_code ?? null,
        stdout: result.stdout ?? '',
        stderr: result.stderr ?? '',
    };
}

/** Reads JSON of a known shape. */
export function parseAnswer<T>(schema: z.ZodType<T>, body: Buffer): Reading<T> {
    let json: unknown;
    try {
        json = parseBody(body);
    } catch (error) {
        if (error instanceof NestingError) return { broken: describeParseError(error, body) };
        return {
            broken: `the answer is not JSON: ${JSON.stringify(firstLine(body.subarray(0, 400).toString('utf8')))}`,
        };
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return { value: parsed.data };
    const [issue] = parsed.error.issues;
    const where =
        issue === undefined || issue.path.length === 0 ? 'the answer' : `\`${issue.path.join('.')}\``;
    return { broken: `unexpected answer format: ${where}: ${issue?.message ?? 'wrong'}` };
}

function firstLine(text: string): string {
    const line = text.trim().split('\n', 1)[0] ?? '';
    return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
