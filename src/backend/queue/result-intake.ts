import type { Redis } from 'ioredis';
import { getMessage } from '../../util/message.js';
import type { Completion } from '../backend.js';
import {
    abortedCompletion,
    boundStart,
    diedCompletion,
    type Flight,
    localize,
    type TaskJob,
} from './flight.js';
import type { RunKeys } from './keys.js';
import {
    parseResults,
    parseReturned,
    parseWorkerAnswer,
    type TaskAnswer,
    type WorkerAnswer,
} from './messages.js';
import { findOutputFiles, type OutputReceiver } from './output-files.js';
import type { JobUpdate } from './scripts.js';
import type { SharedClock } from './shared-clock.js';
import type { TaskJobs } from './task-jobs.js';

interface ResultIntakeOptions {
    readonly client: Redis;
    readonly keys: RunKeys;
    readonly jobs: TaskJobs;
    readonly clock: SharedClock;
    /** Null if tasks leave no files. */
    readonly outputs: OutputReceiver | null;
    /**
     * Whether Redis is unreachable or this coordinator is closed. An answer that cannot be read then is not the worker's fault.
     */
    readonly isAway: () => boolean;
    readonly settle: (flight: Flight, completion: Completion) => void;
    /** Hands the task out once more. */
    readonly again: (flight: Flight) => void;
    /** Called with the duration of a task in seconds. */
    readonly onTaken: (duration: number) => void;
}

/** Processes what workers return. */
export class ResultIntake {
    constructor(private readonly options: ResultIntakeOptions) {}

    /** Fetches the results of a job whose event was missed, or came before this coordinator started. */
    async fetch({ id, queue }: TaskJob): Promise<void> {
        const [returned, failed, told] = await this.options.client
            .hmget(queue.keys.job(id), 'returnvalue', 'failedReason', 'progress')
            .catch(() => []);
        if (typeof failed === 'string') await this.take({ job: id, failed });
        else if (typeof returned === 'string') await this.take({ job: id, returned });
        else if (typeof told === 'string' && told !== '0') await this.take({ job: id, told });
    }

    async take(news: JobUpdate): Promise<void> {
        const job = this.options.jobs.get(news.job);
        if (job === undefined) return;
        if (job.isTaking) {
            // A progress report requested before the end of the job may arrive after that end.
            if (job.next === null || !('told' in news)) job.next = news;
            return;
        }
        job.isTaking = true;
        for (let one: JobUpdate | null = news; one !== null; one = job.next) {
            job.next = null;
            if ('failed' in one) this.#setAside(job, one.failed);
            else if ('told' in one) await this.#takeTold(job, one.told);
            else await this.#takeAll(job, one.returned);
        }
        job.isTaking = false;
    }

    /** Gives up a job that lost its worker too often. */
    #setAside(job: TaskJob, reason: string): void {
        const message = reason.includes('stalled')
            ? 'every worker that ran this task was lost (exited, disconnected from Redis, or paused for longer than its lock)'
            : `the queue gave up on the task: ${reason}`;
        const open = listOpen(job);
        for (const flight of open) {
            // Run several tasks one by one, to find out which one is to blame.
            if (open.length > 1) this.options.again(flight);
            else this.options.settle(flight, diedCompletion(flight, message, { retry: false }));
        }
    }

    /** Some tasks have ended while others continue. */
    async #takeTold(job: TaskJob, told: string): Promise<void> {
        try {
            await this.#takeResults(job, told);
        } catch {
            // The end of the job will return everything again.
        }
    }

    async #takeAll(job: TaskJob, returned: string): Promise<void> {
        job.isCompleted = true;
        let problem = 'the task is missing from it';
        try {
            await this.#takeResults(job, returned);
        } catch (error) {
            problem = getMessage(error);
        }
        // Redis is gone; the next look will find the job again.
        if (this.options.isAway()) return;
        for (const flight of listOpen(job)) this.#refuse(flight, problem);
    }

    #refuse(flight: Flight, problem: string): void {
        const message = `cannot read the answer of a worker: ${problem.slice(0, 500)}`;
        this.options.settle(flight, diedCompletion(flight, message));
    }

    /** @throws Error if the results cannot be read */
    async #takeResults(job: TaskJob, text: string): Promise<void> {
        const returned = parseReturned(JSON.parse(text));
        const { answers, left } = parseResults(
            'answer' in returned ? returned.answer : await this.#read(returned.name, job),
        );
        const open = new Map(listOpen(job).map((flight) => [flight.name, flight]));
        await Promise.all(
            answers.map(async (answer) => {
                const flight = open.get(answer.task);
                if (flight !== undefined) await this.#takeAnswer(flight, answer);
            }),
        );
        for (const name of left) {
            const flight = open.get(name);
            if (flight?.job !== job || flight.state === 'settled') continue;
            if (flight.aborted) this.options.settle(flight, abortedCompletion(flight));
            else this.options.again(flight);
        }
    }

    async #takeAnswer(flight: Flight, answer: TaskAnswer): Promise<void> {
        const { settle, again, clock, onTaken } = this.options;
        try {
            const { served, workerId, ...more } =
                'answer' in answer ? answer.answer : parseWorkerAnswer(await this.#read(answer.name, flight));
            if (served.outcome.kind === 'abort' && !flight.aborted) {
                // The abort was requested by the previous coordinator.
                again(flight);
                return;
            }
            onTaken(served.duration);
            const outcome =
                (await this.#receiveOutputs(flight, { served, workerId, ...more })) ??
                localize(served.outcome);
            const startedAt = boundStart(clock.toLocal(served.startedAt), flight);
            settle(flight, { ...served, startedAt, outcome, workerId });
        } catch (error) {
            if (!this.options.isAway()) this.#refuse(flight, getMessage(error));
        }
    }

    /** @returns an outcome that replaces the worker's if its files cannot be saved here; null if they were */
    async #receiveOutputs(
        flight: Flight,
        { served, outputs }: WorkerAnswer,
    ): Promise<Completion['outcome'] | null> {
        const receiver = this.options.outputs;
        const files = receiver === null ? [] : findOutputFiles(served.outcome);
        if (receiver === null || files.length === 0) return null;
        if (outputs === undefined) throw new Error('it refers to output files that were not sent');
        const received = await receiver.receive(outputs, files);
        if ('kind' in received) return received;
        flight.kept.push(...received);
        return null;
    }

    /** Reads a text that was too long for its job. @param owner the owner with which the text is removed */
    async #read(name: string, owner: { readonly kept: string[] }): Promise<string> {
        const key = this.options.keys.answer(name);
        if (!owner.kept.includes(key)) owner.kept.push(key);
        const text = await this.options.client.get(key);
        if (text === null) throw new Error('it is no longer in Redis');
        return text;
    }
}

/** Tasks of a job that wait for their results. */
const listOpen = ({ flights }: TaskJob): Flight[] => [...flights].filter(({ state }) => state !== 'settled');
