import { z } from 'zod';
import type { FleetRequest } from './fleet.js';
import { parseAnswer } from './fusion-protocol.js';
import type { Reading } from './session.js';
import { RUNTIME_ENVIRONMENT } from '../runtime-environment.js';

/* go-judge's calls as data. Its times are nanoseconds; ours are seconds. */

const STATUSES = [
    'Accepted',
    'Memory Limit Exceeded',
    'Time Limit Exceeded',
    'Output Limit Exceeded',
    'File Error',
    'Nonzero Exit Status',
    'Signalled',
    'Dangerous Syscall',
    'Internal Error',
] as const;

const result = z.object({
    status: z.enum(STATUSES),
    exitStatus: z.number().int(),
    error: z.string().nullish(),
    time: z.number().nonnegative(),
    runTime: z.number().nonnegative(),
    memory: z.number().nonnegative(),
    files: z.record(z.string(), z.string()).nullish(),
    fileIds: z.record(z.string(), z.string()).nullish(),
});

/** Result of one command. Seconds, bytes. */
export interface Ran {
    readonly status: Exclude<(typeof STATUSES)[number], 'File Error' | 'Internal Error'>;
    /** The exit code, or the signal's number if the status is `Signalled`. */
    readonly exitStatus: number;
    readonly cpu: number;
    readonly wall: number;
    readonly memory: number;
    readonly stdout: string;
    readonly stderr: string;
    readonly fileIds: Readonly<Record<string, string>>;
    /** The files requested by `send`. */
    readonly files: Readonly<Record<string, string>>;
}

export type GivenFile = { readonly content: string } | { readonly fileId: string };

export interface GoJudgeCommand {
    readonly args: readonly string[];
    /** null: connected to the other program of a talk. */
    readonly stdin: GivenFile | null;
    readonly copyIn: Readonly<Record<string, GivenFile>>;
    /** Files to keep on the server; with a trailing `?` the file may be missing. */
    readonly keep: readonly string[];
    /** Files to send with the answer, with the same `?`; absent: only the output. */
    readonly send?: readonly string[];
    /** Seconds, bytes. */
    readonly limits: {
        readonly cpu: number;
        readonly wall: number;
        readonly memory: number;
        readonly stack: number;
        readonly output: number;
        readonly processes: number;
    };
}

/** Where the server looks for tools. */
const ENVIRONMENT = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin',
    'HOME=/tmp',
    'GOCACHE=/tmp/go-cache',
    ...RUNTIME_ENVIRONMENT,
];

const nanoseconds = (seconds: number): number => Math.round(seconds * 1e9);

/** Seconds beyond all limits after which a server that has not answered counts as hung. */
const ANSWER_SLACK = 60;
/** Bytes of answer besides the program's output, and the most that fits into one string. */
const ANSWER_EXTRA = 1024 * 1024;
const MAX_ANSWER_BYTES = 400 * 1024 * 1024;

export function runRequest(command: GoJudgeCommand): FleetRequest {
    return buildRequest([command], []);
}

/** Maximum bytes of a validator's output to return, which is only for people to read. */
const MAX_DIALOGUE_BYTES = 64 * 1024;

/**
 * Runs two programs at once, each reading the other's output. The server drops output that its reader no longer takes, so neither
 * gets a broken pipe.
 */
export function buildTalkRequest(submission: GoJudgeCommand, validator: GoJudgeCommand): FleetRequest {
    const connect = (from: number, to: number, max: number) => ({
        in: { index: from, fd: 1 },
        out: { index: to, fd: 0 },
        proxy: true,
        name: 'stdout',
        max,
    });
    // One byte more than the limit, to detect that the program exceeded it.
    const pipes = [connect(0, 1, submission.limits.output + 1), connect(1, 0, MAX_DIALOGUE_BYTES)];
    return buildRequest([submission, validator], pipes);
}

function buildRequest(commands: readonly GoJudgeCommand[], pipeMapping: readonly object[]): FleetRequest {
    const wall = Math.max(...commands.map(({ limits }) => limits.wall));
    const output = commands.reduce((sum, { limits }) => sum + limits.output, 0);
    return {
        method: 'POST',
        path: '/run',
        body: JSON.stringify({
            cmd: commands.map(buildCommandBody),
            ...(pipeMapping.length === 0 ? {} : { pipeMapping }),
        }),
        timeout: wall + ANSWER_SLACK,
        // Every byte may be escaped (`\u0000`), and there are two streams.
        maxAnswer: Math.min(MAX_ANSWER_BYTES, output * 12 + ANSWER_EXTRA),
    };
}

function buildCommandBody(command: GoJudgeCommand): object {
    const { limits, stdin } = command;
    return {
        args: command.args,
        env: ENVIRONMENT,
        files: [
            stdin,
            stdin === null ? null : { name: 'stdout', max: limits.output },
            { name: 'stderr', max: limits.output },
        ],
        cpuLimit: nanoseconds(limits.cpu),
        clockLimit: nanoseconds(limits.wall),
        memoryLimit: Math.ceil(limits.memory),
        stackLimit: Math.ceil(limits.stack),
        procLimit: limits.processes,
        copyIn: command.copyIn,
        copyOut: command.send ?? [],
        copyOutCached: command.keep,
        ...(command.send === undefined ? {} : { copyOutMax: limits.output }),
    };
}

export function readRan(body: Buffer): Reading<Ran> {
    const parsed = parseAnswer(z.tuple([result]), body);
    return 'value' in parsed ? toRan(parsed.value[0]) : parsed;
}

/** Reads the results of both programs of a talk. */
export function readTalk(body: Buffer): Reading<{ readonly submission: Ran; readonly validator: Ran }> {
    const parsed = parseAnswer(z.tuple([result, result]), body);
    if (!('value' in parsed)) return parsed;
    const [submission, validator] = [toRan(parsed.value[0]), toRan(parsed.value[1])];
    if (!('value' in submission)) return submission;
    if (!('value' in validator)) return validator;
    return { value: { submission: submission.value, validator: validator.value } };
}

function toRan(ran: z.infer<typeof result>): Reading<Ran> {
    const { status } = ran;
    const said = `${status}${ran.error ? `: ${ran.error}` : ''}`;
    if (status === 'Internal Error') return { broken: said };
    if (status === 'File Error') return { unable: said };
    const stderr = ran.files?.['stderr'] ?? '';
    // Commands are started by env, which searches the server's own PATH.
    if (ran.exitStatus === 127 && stderr.startsWith(`${ENV}: `)) return { unable: stderr.trim() };
    return {
        value: {
            status,
            exitStatus: ran.exitStatus,
            cpu: ran.time / 1e9,
            wall: ran.runTime / 1e9,
            memory: ran.memory,
            stdout: ran.files?.['stdout'] ?? '',
            stderr,
            fileIds: ran.fileIds ?? {},
            files: ran.files ?? {},
        },
    };
}

/** Finds and starts a tool by name. */
export const ENV = '/usr/bin/env';

/** Uploads bytes that JSON cannot carry. The answer is the file's id. */
export function uploadRequest(bytes: Buffer): FleetRequest {
    const boundary = `resume-run-${bytes.length}-${Math.random().toString(36).slice(2)}`;
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="input"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    return {
        method: 'POST',
        path: '/file',
        body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
        contentType: `multipart/form-data; boundary=${boundary}`,
        timeout: ANSWER_SLACK,
        maxAnswer: ANSWER_EXTRA,
    };
}

export function readFileId(body: Buffer): Reading<string> {
    return parseAnswer(z.string().min(1), body);
}

/** Seconds allowed for deleting a file. */
const DELETE_TIME = 5;

export function deleteRequest(fileId: string): FleetRequest {
    return {
        method: 'DELETE',
        path: `/file/${encodeURIComponent(fileId)}`,
        timeout: DELETE_TIME,
        maxAnswer: ANSWER_EXTRA,
    };
}

export function downloadRequest(fileId: string, maxAnswer: number): FleetRequest {
    return { method: 'GET', path: `/file/${encodeURIComponent(fileId)}`, timeout: ANSWER_SLACK, maxAnswer };
}
