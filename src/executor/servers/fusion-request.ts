import type { FleetRequest } from './fleet.js';
import type { RunCodeBody } from './fusion-protocol.js';
import type { FusionSource } from './fusion-source.js';

/** Seconds allowed for a compilation. */
const COMPILE_TIME = 60;
/** Seconds beyond all limits after which a server that has not answered counts as hung. */
const ANSWER_SLACK = 60;
/** Bytes of answer beyond twice the program's output limit: JSON escapes, stderr, the rest of the answer. */
const ANSWER_EXTRA = 16 * 1024 * 1024;
/** Bytes: a longer answer would not fit into one string. */
const MAX_ANSWER_BYTES = 400 * 1024 * 1024;

const MIB = 1024 * 1024;

/** Maximum bytes of answer to read if programs may print `output` bytes. */
export const answerBound = (output: number): number => Math.min(MAX_ANSWER_BYTES, output * 2 + ANSWER_EXTRA);

/** One run by `/run_code`. */
export interface RunCode {
    readonly language: string;
    readonly source: FusionSource;
    readonly stdin: string;
    /** Seconds. */
    readonly time: number;
    /** Bytes, also for the compiler; null: no limit. */
    readonly memory: number | null;
    /** Maximum bytes of output. */
    readonly output: number;
}

export function runCodeRequest(run: RunCode): FleetRequest {
    const body: RunCodeBody = {
        language: run.language,
        code: run.source.code,
        stdin: run.stdin,
        compile_timeout: COMPILE_TIME,
        run_timeout: run.time,
        memory_limit_MB: run.memory === null ? -1 : Math.ceil(run.memory / MIB),
        files: run.source.files,
        fetch_files: [],
    };
    return {
        method: 'POST',
        path: '/run_code',
        body: JSON.stringify(body),
        timeout: COMPILE_TIME + run.time + ANSWER_SLACK,
        maxAnswer: answerBound(run.output),
    };
}

/** One submission by `/submit`. */
export interface Submit {
    readonly language: string;
    readonly code: string;
    readonly id: string;
    readonly tests: readonly { readonly input: string; readonly output: string }[];
    /** Seconds for each test. */
    readonly time: number;
    readonly allTests: boolean;
    /** Maximum bytes of output per test. */
    readonly output: number;
}

export function submitRequest(submit: Submit): FleetRequest {
    const { language, code, tests } = submit;
    const body = {
        dataset: 'resume-run',
        id: submit.id,
        completion: `\`\`\`${language}\n${code}\n\`\`\``,
        config: {
            dataset_type: 'CommonOJDataset',
            language,
            locale: 'en',
            compile_timeout: COMPILE_TIME,
            run_timeout: submit.time,
            ...(fitsInCodeFence(code) ? {} : { custom_extract_logic: extractLogic(language, code) }),
            provided_data: {
                id: submit.id,
                content: '',
                test: tests.map(({ input, output }) => ({
                    input: { stdin: input },
                    output: { stdout: output },
                })),
                labels: {},
                canonical_solution: {},
            },
            extra: { run_all_cases: submit.allTests },
        },
    };
    const sent = tests.reduce((sum, { input, output }) => sum + input.length + output.length, 0);
    return {
        method: 'POST',
        path: '/submit',
        body: JSON.stringify(body),
        timeout: COMPILE_TIME + submit.time * Math.max(1, tests.length) + ANSWER_SLACK,
        // The answer contains every test.
        maxAnswer: answerBound(submit.output) + sent * 4,
    };
}

/** Whether the server finds the whole code in its fenced block, which ends at the next fence. */
const fitsInCodeFence = (code: string): boolean => !code.includes('```');

/**
 * Python code that gives the server the submission directly instead of searching for it. Its priority is above that of any fenced
 * block.
 */
function extractLogic(language: string, code: string): string {
    return `submit_code_blocks([CodeBlock(priority=40, language=${pythonText(language)}, code=${pythonText(code)})])`;
}

/** A text as a Python literal, in ASCII: like JSON, except that Python escapes characters beyond 16 bits differently. */
function pythonText(text: string): string {
    let literal = '';
    for (const character of JSON.stringify(text)) {
        const point = character.codePointAt(0) ?? 0;
        if (point < 0x7f) literal += character;
        else if (point <= 0xffff) literal += `\\u${point.toString(16).padStart(4, '0')}`;
        else literal += `\\U${point.toString(16).padStart(8, '0')}`;
    }
    return literal;
}
