import { z } from 'zod';
import type { CapturedRun } from '../../model/entry.js';
import type { FleetRequest } from './fleet.js';
import { parseAnswer } from './fusion-protocol.js';
import type { PistonLanguage } from './piston-languages.js';
import type { Reading } from './session.js';

/* Piston's calls as data: https://piston.readthedocs.io (api-v2). Its times are milliseconds; ours are seconds. */

const stage = z.object({
    stdout: z.string(),
    stderr: z.string(),
    code: z.number().int().nullable(),
    signal: z.string().nullable(),
    message: z.string().nullable(),
    /** A version without this field cannot judge: a time-out would look like a crash. */
    status: z.enum(['TO', 'OL', 'EL', 'RE', 'SG', 'XX']).nullable(),
    cpu_time: z.number().nonnegative().nullable(),
    wall_time: z.number().nonnegative().nullable(),
    memory: z.number().nonnegative().nullable(),
});

const answer = z.object({ run: stage, compile: stage.optional(), language: z.string(), version: z.string() });

/** Why a program was stopped, or how it ended: time, standard output, standard error, exit code, signal. */
export type PistonStatus = 'TO' | 'OL' | 'EL' | 'RE' | 'SG' | null;

/** One stage of an answer. Seconds, bytes; null if not measured. */
export interface PistonStage {
    readonly status: PistonStatus;
    readonly code: number | null;
    readonly signal: string | null;
    readonly cpu: number | null;
    readonly wall: number | null;
    readonly memory: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

/** `run` is null if the program did not compile; the server copies the compilation there. */
export interface PistonRun {
    readonly compile: PistonStage | null;
    readonly run: PistonStage | null;
}

/** A file to send. Files in base64 keep their names; the others are source files for the language's compiler. */
export interface PistonFile {
    readonly name: string;
    readonly content: string;
    readonly encoding: 'utf8' | 'base64';
}

export interface PistonCommand {
    readonly language: PistonLanguage;
    readonly files: readonly PistonFile[];
    readonly stdin: string;
    /** Seconds; null: the server's own limits. */
    readonly cpu: number | null;
    readonly wall: number | null;
    /** Bytes; null: the server's own limit. */
    readonly memory: number | null;
    /** Maximum bytes of output. */
    readonly output: number;
}

/** Seconds beyond all limits after which a server that has not answered counts as hung; it also compiles, and queues jobs. */
const ANSWER_SLACK = 120;
/** Bytes of answer besides the program's output, and the most that fits into one string. */
const ANSWER_EXTRA = 1024 * 1024;
const MAX_ANSWER_BYTES = 400 * 1024 * 1024;

const milliseconds = (seconds: number): number => Math.ceil(seconds * 1000);

/** Leaves the compiler's limits to the server, which would refuse a number above its own. */
export function executeRequest(command: PistonCommand): FleetRequest {
    const { language, files, stdin, cpu, wall, memory, output } = command;
    return {
        method: 'POST',
        path: '/api/v2/execute',
        body: JSON.stringify({
            language: language.name,
            version: language.version,
            files,
            stdin,
            args: [],
            ...(wall === null ? {} : { run_timeout: milliseconds(wall) }),
            ...(cpu === null ? {} : { run_cpu_time: milliseconds(cpu) }),
            ...(memory === null ? {} : { run_memory_limit: Math.ceil(memory) }),
        }),
        timeout: (wall ?? 0) + ANSWER_SLACK,
        // Every byte may be escaped, and the answer contains the output twice.
        maxAnswer: Math.min(MAX_ANSWER_BYTES, output * 24 + ANSWER_EXTRA),
    };
}

export function readExecuted(body: Buffer): Reading<PistonRun> {
    const parsed = parseAnswer(answer, body);
    if (!('value' in parsed)) return parsed;
    const { run, compile } = parsed.value;
    const broken = [compile, run].find((one) => one?.status === 'XX');
    if (broken !== undefined) return { broken: `the sandbox failed: ${broken.message ?? 'no reason given'}` };
    const failed = compile !== undefined && compile.code !== 0;
    return {
        value: { compile: compile === undefined ? null : read(compile), run: failed ? null : read(run) },
    };
}

function read(from: z.infer<typeof stage>): PistonStage {
    const seconds = (value: number | null): number | null => (value === null ? null : value / 1000);
    return {
        status: from.status === 'XX' ? null : from.status,
        code: from.code,
        signal: from.signal,
        cpu: seconds(from.cpu_time),
        wall: seconds(from.wall_time),
        memory: from.memory,
        stdout: from.stdout,
        stderr: from.stderr,
    };
}

/** A stage in the form of result files. */
export const stageAsRun = (from: PistonStage): CapturedRun => ({
    status: from.status === 'TO' ? 'TimeLimitExceeded' : 'Finished',
    execution_time: from.wall ?? 0,
    return_code: from.code,
    ...(from.code === null && from.signal !== null ? { signal: from.signal } : {}),
    stdout: from.stdout,
    stderr: from.stderr,
});

/** Seconds allowed for the answer to a probe. */
const PROBE_ANSWER = 10;

export const RUNTIMES_REQUEST: FleetRequest = {
    method: 'GET',
    path: '/api/v2/runtimes',
    timeout: PROBE_ANSWER,
    maxAnswer: 4 * ANSWER_EXTRA,
};

const runtimes = z.array(
    z.object({ language: z.string(), version: z.string(), aliases: z.array(z.string()) }),
);

/** The names of a server's languages, with their major versions: `python 3`. */
export function readRuntimes(body: Buffer): Reading<ReadonlySet<string>> {
    const parsed = parseAnswer(runtimes, body);
    if (!('value' in parsed)) return parsed;
    const names = parsed.value.flatMap(({ language, version, aliases }) => {
        const [major = ''] = version.split('.', 1);
        return [language, ...aliases].flatMap((name) => [name, `${name} ${major}`]);
    });
    return { value: new Set(names) };
}
