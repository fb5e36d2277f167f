import { z } from 'zod';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { Json } from '../../model/json.js';
import type { Served, Task } from '../../model/task.js';
import { VERDICTS } from '../../model/verdict.js';

/*
 * What passes between a coordinator and its workers by way of Redis. Either side reads what the other wrote, or anybody who may
 * write to that Redis, so nothing is used before it was checked here.
 */

/** Changes when coordinators and workers of two versions would misunderstand each other. */
export const PROTOCOL = 2;

const MIB = 1024 * 1024;

/** Bytes of a task with its source, as JSON; of the tasks of one job together, too. */
export const LARGEST_TASK = 16 * MIB;

/** Tasks of one job. */
export const MOST_TASKS = 32;

/** Bytes of an answer, as JSON. */
export const LARGEST_ANSWER = 32 * MIB;

/** Bytes of one file of a sample. Redis holds it for a short while. */
export const LARGEST_FILE = 256 * MIB;

/** An answer of more characters waits in a key of its own: BullMQ writes short ones a second time, into its stream of events. */
export const INLINE_ANSWER = 4096;

/** Seconds that what a run has in Redis stays after its coordinator was last seen: a week, see lease.ts. */
export const RUN_TTL_S = 7 * 86_400;

const NAME = z.string().min(1).max(4096);
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
const COUNT = z.int().min(0);
/** What a worker makes up as the last part of a key. */
const KEY_NAME = /^[\w-]{1,128}$/;

const json: z.ZodType<Json> = z.json();

/** What `JSON.parse` made is JSON. Values that go to a process and nowhere else may be nested too deep for that: it fails their task. */
const anyJson = z.custom<Json>((value) => value !== undefined);

/** Bytes: as text, or a file that a worker looks for at `path` and fetches where it is not that file. */
const content = z.union([
    z.strictObject({ text: z.string(), digest: SHA256 }),
    z.strictObject({ path: z.string().min(1), digest: SHA256 }),
]);

/** Relative, `/` between folders, nothing that leads out of its folder. */
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

/** `data` of a job. The tasks are a text in it, so that its size is known before it is read. */
const job = z.strictObject({
    v: z.literal(PROTOCOL),
    /** Of the run that put it there, see `RunInfo`. */
    start: NAME,
    tasks: z.string().max(LARGEST_TASK),
});

const tasks = z
    .array(z.strictObject({ name: NAME, task }))
    .min(1)
    .max(MOST_TASKS)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length);

/** A task, under the name that it has in Redis. */
export interface NamedTask {
    readonly name: string;
    readonly task: Task;
}

/** A task as a job carries it; `stage` of the task is the digest of its sample's manifest. */
export const packTask = (named: NamedTask): string => JSON.stringify(named);

/** Puts tasks into a job's data. @param packed see `packTask` */
export const packJob = (start: string, packed: readonly string[]): z.infer<typeof job> => ({
    v: PROTOCOL,
    start,
    tasks: `[${packed.join(',')}]`,
});

/** @throws Error if they are not tasks */
export function unpackJob(raw: unknown): { readonly start: string; readonly tasks: readonly NamedTask[] } {
    const { start, tasks: text } = job.parse(raw);
    // The fields that nothing here depends on stay as the coordinator wrote them; executors take them as they come from datasets.
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
    /** Host, the worker's process and the one that ran the task: `node7-4711-process-2`. */
    workerId: NAME,
    served: z.strictObject({ outcome, startedAt: z.number(), duration: z.number().min(0) }),
    /** Set where the outcome names output files: under which name their pieces are in Redis. */
    outputs: z.string().regex(KEY_NAME).optional(),
});

export interface WorkerAnswer {
    readonly workerId: string;
    readonly served: Served;
    readonly outputs?: string;
}

/** @throws Error if it is not an answer */
export function parseWorkerAnswer(text: string): WorkerAnswer {
    if (text.length > LARGEST_ANSWER) throw new Error(`an answer of ${text.length} characters`);
    return answer.parse(JSON.parse(text)) as object as WorkerAnswer;
}

/** A text of a worker: itself, or the key where it waits. */
const returned = z.union([
    z.strictObject({ v: z.literal(PROTOCOL), answer: z.string().max(INLINE_ANSWER) }),
    z.strictObject({ v: z.literal(PROTOCOL), name: z.string().regex(KEY_NAME) }),
]);

export type Returned = z.infer<typeof returned>;

/** @throws Error if it is not what a worker's job returns */
export const parseReturned = (raw: unknown): Returned => returned.parse(raw);

/** What a job came to, or has come to so far: a text that `Returned` holds. */
const results = z.strictObject({
    answers: z
        .array(
            z.union([
                z.strictObject({ task: NAME, answer }),
                /** It is long, and waits under this name. */
                z.strictObject({ task: NAME, name: z.string().regex(KEY_NAME) }),
            ]),
        )
        .max(MOST_TASKS),
    /** Tasks that have not run, or not to their end, and are to be handed out again. */
    left: z.array(NAME).max(MOST_TASKS),
});

export type TaskAnswer = { readonly task: string } & (
    | { readonly answer: WorkerAnswer }
    | { readonly name: string }
);

export interface JobResults {
    readonly answers: readonly TaskAnswer[];
    readonly left: readonly string[];
}

/** @throws Error if it is not what a job came to */
export function parseResults(text: string): JobResults {
    if (text.length > LARGEST_ANSWER) throw new Error(`an answer of ${text.length} characters`);
    return results.parse(JSON.parse(text)) as object as JobResults;
}

const runInfo = z.strictObject({
    protocol: z.int(),
    /** Of resume-run. */
    version: NAME,
    /** Its name in Redis: the id, and a digest of what its answers depend on beside the tasks, see `nameRun`. */
    run: NAME,
    /** The run's id, as its results directory has it. */
    id: NAME,
    /** Differs with each start of the run: calls that the one before did not answer go to this one. */
    start: NAME,
    host: NAME,
    descriptor: z.looseObject({ kind: NAME }),
    /** The coordinator's own toolchains: compiler by language. Absent where nothing is judged. */
    toolchains: z.record(NAME, z.string()).optional(),
    /** `bwrap`, `rlimit`, `none`; absent where nothing is judged. */
    sandbox: NAME.optional(),
    /** Milliseconds since the epoch, by the clock of Redis. */
    seen: z.number(),
});

/** What a coordinator says of its run. */
export interface RunInfo extends Omit<z.infer<typeof runInfo>, 'descriptor'> {
    readonly descriptor: ExecutorDescriptor;
}

/** What stays the same as long as the run goes on. */
export type RunOrigin = Omit<RunInfo, 'seen' | 'start'>;

/** @returns null if it is not one */
export const parseRunInfo = (text: string): RunInfo | null => parseOrNull(runInfo, text);

const languages = z.array(NAME).max(64);

/** A queue of a run: tasks that need the same toolchains. */
export interface QueueInfo {
    readonly name: string;
    readonly languages: readonly string[];
}

/** @param fields hash `RunKeys.queues`; what is not of our making is left out */
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
    /** What it can run: version of the compiler, or of what runs it, by language. */
    toolchains: z.record(NAME, z.string()),
    sandbox: NAME.nullable(),
    /** Tasks that it runs at once. */
    slots: COUNT,
    inFlight: COUNT,
    /** Tiny tasks that it has taken beyond its slots: they wait there for those before them. */
    takenAhead: COUNT,
    done: COUNT,
    failures: COUNT,
    isDraining: z.boolean(),
    /** Runs that it does not serve, each with the reason. */
    refused: z.array(z.strictObject({ run: NAME, id: NAME, why: z.string() })),
    /** Milliseconds since the epoch, by the clock of Redis, as `seen`. */
    startedAt: z.number(),
    seen: z.number(),
});

/** What a worker says of itself. */
export type WorkerInfo = z.infer<typeof workerInfo>;

/** @returns null if it is not one */
export const parseWorkerInfo = (text: string): WorkerInfo | null => parseOrNull(workerInfo, text);

const call = z.discriminatedUnion('type', [
    z.strictObject({
        type: z.literal('call'),
        worker: NAME,
        /** The name that the task has in Redis. */
        task: NAME,
        /** Token of the lock by which the worker has its job. */
        token: NAME,
        call: NAME,
        request: z.discriminatedUnion('do', [
            z.strictObject({ do: z.literal('save-step'), name: NAME, value: z.record(z.string(), json) }),
            z.strictObject({ do: z.literal('ask'), request: z.record(z.string(), json) }),
            /** The sample's file with this digest is to be put where workers find it. */
            z.strictObject({ do: z.literal('send-file'), sha256: SHA256 }),
        ]),
    }),
    z.strictObject({ type: z.literal('log'), line: z.record(z.string(), json) }),
]);

export type WorkerCall = z.infer<typeof call>;

/** @returns null if it is not one */
export const parseWorkerCall = (text: string): WorkerCall | null => parseOrNull(call, text);

const reply = z.strictObject({
    type: z.literal('reply'),
    call: NAME,
    value: z.record(z.string(), json).nullable(),
    problem: z.string().nullable(),
});

/** @returns null if it is not one */
export const parseReply = (text: string): z.infer<typeof reply> | null => parseOrNull(reply, text);

function parseOrNull<T>(schema: z.ZodType<T>, text: string): T | null {
    if (text.length > LARGEST_ANSWER) return null;
    try {
        return schema.safeParse(JSON.parse(text)).data ?? null;
    } catch {
        return null;
    }
}
