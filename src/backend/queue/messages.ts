import { z } from 'zod';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { Json } from '../../model/json.js';
import type { Served, Task } from '../../model/task.js';
import { VERDICTS } from '../../model/verdict.js';

/*
 * Messages between a coordinator and its workers, sent through Redis. Either side reads what the other, or anybody with write
 * access to that Redis, has written, so everything is validated here before use.
 */

/** Change this when coordinators and workers of two versions would misunderstand each other. */
export const PROTOCOL = 2;

const MIB = 1024 * 1024;

/** Maximum bytes of a task with its source, as JSON, and of all tasks of one job together. */
export const MAX_TASK_BYTES = 16 * MIB;

/** Maximum number of tasks in a job. */
export const MAX_TASKS_PER_JOB = 32;

/** Maximum bytes of an answer, as JSON. */
export const MAX_ANSWER_BYTES = 32 * MIB;

/** Maximum bytes of one file of a sample. Redis holds it for a short while. */
export const MAX_FILE_BYTES = 256 * MIB;

/**
 * Maximum characters of an answer that is stored in its job. Longer ones get a key of their own, because BullMQ also writes
 * answers to its event stream.
 */
export const INLINE_ANSWER = 4096;

/** Seconds for which a run's data stays in Redis after its coordinator was last seen: a week, see lease.ts. */
export const RUN_TTL_S = 7 * 86_400;

const NAME = z.string().min(1).max(4096);
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
const COUNT = z.int().min(0);
/** Names that a worker generates for the last part of a key. */
const KEY_NAME = /^[\w-]{1,128}$/;

const json: z.ZodType<Json> = z.json();

/**
 * Everything that `JSON.parse` returns is JSON. Values that are only passed on to a process may be nested too deep for that; then
 * their task fails.
 */
const anyJson = z.custom<Json>((value) => value !== undefined);

/** Bytes: as text, or as a file that a worker looks for at `path`, and fetches if the file there is a different one. */
const content = z.union([
    z.strictObject({ text: z.string(), digest: SHA256 }),
    z.strictObject({ path: z.string().min(1), digest: SHA256 }),
]);

/** Relative, with `/` between folders, and without anything that leads out of its folder. */
const fileName = z
    .string()
    .max(4096)
    .refine((name) => !name.startsWith('/') && !name.split('/').includes('..'));

const sourceFile = z.strictObject({ name: fileName, content });
const files = z.tuple([sourceFile], sourceFile);

const program = z.looseObject({
    kind: z.literal('program'),
    language: z.string().max(64),
    preferred: z.string().max(64).optional(),
    files,
});

const data = z.looseObject({ kind: z.literal('data'), data: anyJson, text: z.string().optional() });

const limits = z.looseObject({
    time: z.number().positive(),
    memory: z.number().positive().nullable(),
    output: z.number().positive(),
});

const task = z.looseObject({
    sample: NAME,
    group: NAME,
    index: COUNT,
    fingerprint: NAME,
    input: z.discriminatedUnion('kind', [program, data]),
    limits: limits.nullable(),
    attempt: z.int().min(1),
    confirmed: z.array(z.looseObject({ passed: z.boolean() })),
    confirming: z.string().max(64).nullable(),
    settles: z.boolean(),
    steps: z.record(z.string(), anyJson).optional(),
    traceparent: z.string().max(128).optional(),
    /** SHA-256 of the sample's manifest (stage-manifest.ts); null for tasks that are not programs. */
    stage: SHA256.nullable(),
});

/** `data` of a job. It holds the tasks as a text, so that their size is known before parsing. */
const job = z.strictObject({
    v: z.literal(PROTOCOL),
    /** The start of the run that added the job, see `RunInfo`. */
    start: NAME,
    tasks: z.string().max(MAX_TASK_BYTES),
});

const tasks = z
    .array(z.strictObject({ name: NAME, task }))
    .min(1)
    .max(MAX_TASKS_PER_JOB)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length);

/** A task with its name in Redis. */
export interface NamedTask {
    readonly name: string;
    readonly task: Task;
}

/** Serializes a task for a job; the task's `stage` is the digest of its sample's manifest. */
export const packTask = (named: NamedTask): string => JSON.stringify(named);

/** Builds the data of a job from tasks. @param packed see `packTask` */
export const packJob = (start: string, packed: readonly string[]): z.infer<typeof job> => ({
    v: PROTOCOL,
    start,
    tasks: `[${packed.join(',')}]`,
});

/** @throws Error if the data does not contain valid tasks */
export function unpackJob(raw: unknown): { readonly start: string; readonly tasks: readonly NamedTask[] } {
    const { start, tasks: text } = job.parse(raw);
    // Fields not used here stay as the coordinator wrote them; executors take them as they come from datasets.
    return { start, tasks: tasks.parse(JSON.parse(text)) as object as NamedTask[] };
}

const failure = z.looseObject({ reason: z.string().min(1).max(64), message: z.string() });

const outcome = z.discriminatedUnion('kind', [
    z.looseObject({
        kind: z.literal('verdict'),
        verdict: z.enum(VERDICTS),
        result: z.record(z.string(), z.unknown()),
        suspect: z.string().nullable(),
        by: z.looseObject({ api_used: z.string() }),
    }),
    z.looseObject({
        kind: z.literal('failure'),
        failure,
        by: z.looseObject({ api_used: z.string() }).nullable(),
    }),
    z.strictObject({ kind: z.literal('abort') }),
    z.strictObject({ kind: z.literal('unwritable'), file: z.string(), why: z.string() }),
]);

const answer = z.strictObject({
    /** Host, the worker's process id and the process that ran the task: `node7-4711-process-2`. */
    workerId: NAME,
    served: z.strictObject({ outcome, startedAt: z.number(), duration: z.number().min(0) }),
    /** Set if the outcome refers to output files: the name under which their pieces are in Redis. */
    outputs: z.string().regex(KEY_NAME).optional(),
});

export interface WorkerAnswer {
    readonly workerId: string;
    readonly served: Served;
    readonly outputs?: string;
}

/** @throws Error if it is not a valid answer */
export function parseWorkerAnswer(text: string): WorkerAnswer {
    if (text.length > MAX_ANSWER_BYTES)
        throw new Error(`it has ${text.length} characters, more than the limit of ${MAX_ANSWER_BYTES}`);
    return answer.parse(JSON.parse(text)) as object as WorkerAnswer;
}

/** A text returned by a worker: the text itself, or the name of the key that holds it. */
const returned = z.union([
    z.strictObject({ v: z.literal(PROTOCOL), answer: z.string().max(INLINE_ANSWER) }),
    z.strictObject({ v: z.literal(PROTOCOL), name: z.string().regex(KEY_NAME) }),
]);

export type Returned = z.infer<typeof returned>;

/** @throws Error if it is not a valid return value of a worker's job */
export const parseReturned = (raw: unknown): Returned => returned.parse(raw);

/** The results of a job so far: the text in `Returned`. */
const results = z.strictObject({
    answers: z
        .array(
            z.union([
                z.strictObject({ task: NAME, answer }),
                /** A long answer, stored under this name. */
                z.strictObject({ task: NAME, name: z.string().regex(KEY_NAME) }),
            ]),
        )
        .max(MAX_TASKS_PER_JOB),
    /** Tasks that have not run, or not completed, and must be handed out again. */
    left: z.array(NAME).max(MAX_TASKS_PER_JOB),
});

export type TaskAnswer = { readonly task: string } & (
    | { readonly answer: WorkerAnswer }
    | { readonly name: string }
);

export interface JobResults {
    readonly answers: readonly TaskAnswer[];
    readonly left: readonly string[];
}

/** @throws Error if the text is not the results of a job */
export function parseResults(text: string): JobResults {
    if (text.length > MAX_ANSWER_BYTES)
        throw new Error(`it has ${text.length} characters, more than the limit of ${MAX_ANSWER_BYTES}`);
    return results.parse(JSON.parse(text)) as object as JobResults;
}

const runInfo = z.strictObject({
    protocol: z.int(),
    /** Of resume-run. */
    version: NAME,
    /**
     * The run's name in Redis: the id, and a digest of everything that its answers depend on besides the tasks, see `nameRun`.
     */
    run: NAME,
    /** The run's id, as in its results directory. */
    id: NAME,
    /** Differs with each start of the run: calls that the previous start did not answer go to this one. */
    start: NAME,
    host: NAME,
    descriptor: z.looseObject({ kind: NAME }),
    /** The coordinator's own toolchains: compiler by language. Absent if nothing is judged. */
    toolchains: z.record(NAME, z.string()).optional(),
    /** `bwrap`, `rlimit` or `none`; absent if nothing is judged. */
    sandbox: NAME.optional(),
    /** Milliseconds since the epoch, by the clock of Redis. */
    seen: z.number(),
});

/** A coordinator's description of its run. */
export interface RunInfo extends Omit<z.infer<typeof runInfo>, 'descriptor'> {
    readonly descriptor: ExecutorDescriptor;
}

/** The part that stays the same throughout the run. */
export type RunOrigin = Omit<RunInfo, 'seen' | 'start'>;

/** @returns null if it is not a valid description */
export const parseRunInfo = (text: string): RunInfo | null => parseOrNull(runInfo, text);

const languages = z.array(NAME).max(64);

/** A queue of a run, for tasks that need the same toolchains. */
export interface QueueInfo {
    readonly name: string;
    readonly languages: readonly string[];
}

/** @param fields hash `RunKeys.queues`; invalid fields are ignored */
export const parseQueues = (fields: Readonly<Record<string, string>>): QueueInfo[] =>
    Object.entries(fields).flatMap(([name, text]) => {
        const found = QUEUE.test(name) ? parseOrNull(languages, text) : null;
        return found === null ? [] : [{ name, languages: found }];
    });

/** Names of queues, see task-queues.ts. */
const QUEUE = /^tasks(?:-[0-9a-f]{12})?$/;

const workerInfo = z.strictObject({
    id: NAME,
    host: NAME,
    pid: COUNT,
    version: NAME,
    executors: z.array(NAME),
    /** What it can run: version of the compiler or interpreter, by language. */
    toolchains: z.record(NAME, z.string()),
    sandbox: NAME.nullable(),
    /** Number of tasks that it runs at once. */
    slots: COUNT,
    inFlight: COUNT,
    /** Tiny tasks taken beyond its slots, where they wait for those before them. */
    takenAhead: COUNT,
    done: COUNT,
    failures: COUNT,
    isDraining: z.boolean(),
    /** Runs that it does not serve, with the reasons. */
    refused: z.array(z.strictObject({ run: NAME, id: NAME, why: z.string() })),
    /** Milliseconds since the epoch, by the clock of Redis, like `seen`. */
    startedAt: z.number(),
    seen: z.number(),
});

/** A worker's description of itself. */
export type WorkerInfo = z.infer<typeof workerInfo>;

/** @returns null if it is not a valid description */
export const parseWorkerInfo = (text: string): WorkerInfo | null => parseOrNull(workerInfo, text);

const call = z.discriminatedUnion('type', [
    z.strictObject({
        type: z.literal('call'),
        worker: NAME,
        /** The task's name in Redis. */
        task: NAME,
        /** Token of the lock that the worker has on its job. */
        token: NAME,
        call: NAME,
        request: z.discriminatedUnion('do', [
            z.strictObject({ do: z.literal('save-step'), name: NAME, value: z.record(z.string(), json) }),
            z.strictObject({ do: z.literal('ask'), request: z.record(z.string(), json) }),
            /** Requests the sample's file with this digest, to be put where workers find it. */
            z.strictObject({ do: z.literal('send-file'), sha256: SHA256 }),
        ]),
    }),
    z.strictObject({ type: z.literal('log'), line: z.record(z.string(), json) }),
]);

export type WorkerCall = z.infer<typeof call>;

/** @returns null if it is not a valid call */
export const parseWorkerCall = (text: string): WorkerCall | null => parseOrNull(call, text);

const reply = z.strictObject({
    type: z.literal('reply'),
    call: NAME,
    value: z.record(z.string(), json).nullable(),
    problem: z.string().nullable(),
});

/** @returns null if it is not a valid reply */
export const parseReply = (text: string): z.infer<typeof reply> | null => parseOrNull(reply, text);

function parseOrNull<T>(schema: z.ZodType<T>, text: string): T | null {
    if (text.length > MAX_ANSWER_BYTES) return null;
    try {
        return schema.safeParse(JSON.parse(text)).data ?? null;
    } catch {
        return null;
    }
}
