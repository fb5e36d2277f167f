import { writeRunFile } from '../checkpoint/run-directory/run-file.js';
import type { CheckpointStore, SampleWriter } from '../checkpoint/store.js';
import { openMinuteFile } from '../checkpoint/run-directory/minute-file.js';
import type { RunConfig } from '../config.js';
import { MinuteBook } from '../endpoint/minute-book.js';
import type { ChatConfig } from '../executor/chat/chat-kind.js';
import { openStoredScorer, type StoredScorer } from '../executor/chat/scoring/stored-scorer.js';
import { answerIn, type Scored, withScore } from '../executor/chat/scoring/scoring.js';
import { openScratch } from '../host/scratch.js';
import type { Checkpoint, SampleState } from '../model/checkpoint.js';
import type { Entry } from '../model/entry.js';
import { isRetryable } from '../model/failure.js';
import { isJsonObject, type JsonObject } from '../model/json.js';
import { formatScorer } from '../model/scorer.js';
import type { Task } from '../model/task.js';
import { backOff } from '../run/retry.js';
import { sleep } from '../util/sleep.js';
import { buildTopicData, ROUNDS, type RoundsByTopic } from '../dataset/generated/topics.js';
import { readKnownTopics } from './topics.js';
import { UserError } from '../util/user-error.js';
import { type Directory, openDirectory } from './directory/directory.js';
import { KnownSamplesReader } from './directory/known-samples.js';
import { DirectoryIndexes } from './directory/directory-indexes.js';
import { ResultFiles } from './directory/result-files.js';

/** The outcome of scoring stored answers. */
export interface RescoringSummary {
    readonly dir: string;
    readonly scorer: string;
    readonly scorer_fingerprint: string;
    /** Answers scored by this start; in a dry run, answers that it would score. */
    readonly scored: number;
    /** Answers that had this score already. */
    readonly unchanged: number;
    /** Answers that could not be scored, and keep their previous score. */
    readonly unscored: number;
    /** Of the answers scored now, how many became accepted; `no_longer_accepted` counts the reverse. */
    readonly accepted_now: number;
    readonly no_longer_accepted: number;
    readonly accepted: number;
    readonly refused: number;
    /** Tasks with a verdict. */
    readonly finished: number;
    /** Tasks of the files that were read, including those without a verdict. */
    readonly tasks: number;
    /** Cost in US dollars of a judging model in this start; null: no model judges, or its price is unknown. */
    readonly judge_cost: number | null;
    /** True if a signal or the budget stopped it: the rest is left to the next start. */
    readonly stopped: boolean;
    /** The budget that is spent, in words; null: none. */
    readonly budget_spent: string | null;
}

export interface ScoreOptions {
    readonly onNotice: (message: string) => void;
    /** Called with the number of answers that have a new score so far. */
    readonly onScored: (count: number) => void;
    /** Stops scoring; scores computed so far are on disk. */
    readonly signal: AbortSignal;
}

/** How many answers that could not be scored are reported with their reason; the rest are only counted. */
const MAX_PROBLEMS = 5;

/**
 * Scores the answers of a results directory again, without asking the models again. Each score is committed like a run's results:
 * with a higher revision, keeping the replaced entry in superseded.jsonl. Answers already scored by the same scorer are skipped,
 * so the same call continues after a kill.
 * @throws UserError for a directory that another run holds, or a scorer that cannot work here; WriteError
 */
export async function scoreAnswers(config: RunConfig, options: ScoreOptions): Promise<RescoringSummary> {
    const chat = getChatConfig(config);
    const directory = await openDirectory(config, options.onNotice, options.signal);
    let stored: StoredScorer | null = null;
    const scratch = await openScratch();
    const budget = new AbortController();
    const signal = AbortSignal.any([options.signal, budget.signal]);
    try {
        const context = {
            timeout: config.limits.timeout,
            memoryLimit: config.limits.memory,
            judging: config.judging,
            dir: config.dir,
            holder: directory.holder,
            scratch: scratch.path,
        };
        const minutes = new MinuteBook(openMinuteFile(config.checkpoints, null));
        let spent: string | null = null;
        const budgetSpent = (message: string): void => {
            spent = message;
            budget.abort();
        };
        stored = await openStoredScorer(chat, context, { minutes, budgetSpent });
        for (const line of stored.notices) options.onNotice(line);
        if (config.concurrency !== null) stored.widenTo(config.concurrency);
        if (!config.dryRun) await rememberScorer(directory, config);
        const found = await findSamples(directory, config, options.onNotice);
        const store = directory.store({ whole: { ids: () => found.known } });
        const topics = await readKnownTopics(config.checkpoints);
        const rescoring = new Rescoring(config, { ...stored, store, topics }, { ...options, signal });
        for (const id of found.ids) {
            if (signal.aborted) break;
            await rescoring.sample(id);
        }
        await store.close();
        return { ...rescoring.summary(), budget_spent: spent };
    } finally {
        await stored?.close();
        await scratch.remove();
        await directory.close();
    }
}

function getChatConfig({ executor, dir }: RunConfig): ChatConfig {
    if (executor.kind === 'chat') return executor;
    throw new UserError(
        `${dir} does not hold answers of a language model that could be scored: its executor is ${executor.kind}`,
    );
}

/** Stores the scorer, so that new answers are scored in the same way from now on. */
async function rememberScorer(directory: Directory, { checkpoints, runOptions }: RunConfig): Promise<void> {
    const { lock, known } = directory;
    if (known === null || lock === null) return;
    const options = { ...known.options };
    for (const name of ['scorer', 'expected', 'judge-prompt', 'judge-max-tokens', 'code-timeout'])
        if (runOptions[name] !== undefined) options[name] = runOptions[name];
    await writeRunFile(checkpoints, lock.id, { ...known, options, updated_at: new Date().toISOString() });
}

/** Ids of the samples with results, and every id that files may be named after. */
async function findSamples(
    { known }: Directory,
    { dir, checkpoints }: RunConfig,
    onNotice: (message: string) => void,
): Promise<{ readonly ids: readonly string[]; readonly known: readonly string[] }> {
    const samples = await new KnownSamplesReader(
        new DirectoryIndexes({ dir, checkpoints }),
        () => undefined,
    ).read(known);
    const ids: string[] = [];
    for await (const { tally, standing } of new ResultFiles(
        { dir, checkpoints },
        { onNotice, again: false },
    ).read(0, samples))
        if (standing !== 'not begun') ids.push(tally.id);
    return { ids, known: [...new Set([...(samples?.ids() ?? []), ...ids])] };
}

/** An entry of this version, with the answer to score. */
interface StoredAnswer {
    readonly group: string;
    readonly entry: Entry;
    readonly result: JsonObject;
    readonly answer: string;
}

class Rescoring {
    readonly #config: RunConfig;
    readonly #stored: StoredScorer;
    readonly #store: CheckpointStore;
    /** The run's topics: their entries keep no row, but their data is known. Null if the run has other tasks. */
    readonly #topics: RoundsByTopic | null;
    readonly #options: ScoreOptions;
    #figures = {
        scored: 0,
        unchanged: 0,
        unscored: 0,
        accepted_now: 0,
        no_longer_accepted: 0,
        accepted: 0,
        refused: 0,
        finished: 0,
        tasks: 0,
    };
    #judgeCost: number | null = null;

    constructor(
        config: RunConfig,
        parts: StoredScorer & { readonly store: CheckpointStore; readonly topics: RoundsByTopic | null },
        options: ScoreOptions,
    ) {
        this.#config = config;
        this.#stored = parts;
        this.#store = parts.store;
        this.#topics = parts.topics;
        this.#options = options;
    }

    async sample(id: string): Promise<void> {
        const checkpoint = await this.#store.read(id);
        if (checkpoint === null || checkpoint.origin === 'earlier') return;
        const due = this.#look(checkpoint);
        if (this.#config.dryRun) {
            this.#figures.scored += due.length;
            return;
        }
        if (due.length === 0) return;
        const writer = this.#store.open(buildState(checkpoint));
        try {
            await this.#scoreAll(id, due, writer);
        } finally {
            await writer.close();
        }
    }

    /** Counts existing results, and finds the answers without this score. */
    #look(checkpoint: Checkpoint): readonly StoredAnswer[] {
        const due: StoredAnswer[] = [];
        const { fingerprint: wanted } = this.#stored.scoring;
        for (const [, total] of checkpoint.totals) this.#figures.tasks += total;
        for (const [group, list] of checkpoint.entries) {
            for (const { entry } of list) {
                const { result: raw, index, fingerprint } = entry;
                if (!isJsonObject(raw) || index === null || fingerprint === null) continue;
                this.#figures.finished += 1;
                if (raw['verdict'] === 'Refused') this.#figures.refused += 1;
                if (raw['accepted'] === true) this.#figures.accepted += 1;
                const answer = answerIn(raw);
                if (answer === null) continue;
                const scored = { group, entry: { ...entry, index, fingerprint }, result: raw, answer };
                if (raw['scorer_fingerprint'] === wanted) this.#figures.unchanged += 1;
                else due.push(scored);
            }
        }
        return due;
    }

    /** Scores a few answers at a time, waiting for room in the store as a run does. */
    async #scoreAll(id: string, due: readonly StoredAnswer[], writer: SampleWriter): Promise<void> {
        const queue = [...due].reverse();
        const work = async (): Promise<void> => {
            for (;;) {
                const next = this.#options.signal.aborted ? undefined : queue.pop();
                if (next === undefined) return;
                await this.#store.room();
                await this.#scoreOne(id, next, writer);
            }
        };
        const workers = this.#config.concurrency ?? this.#stored.concurrency;
        await Promise.all(Array.from({ length: Math.min(workers, due.length) }, work));
    }

    async #scoreOne(
        id: string,
        { group, entry, result, answer }: StoredAnswer,
        writer: SampleWriter,
    ): Promise<void> {
        const { scoring } = this.#stored;
        const scored = await this.#score(answer, buildTask(id, group, this.#withRow(id, group, entry)));
        if (scored.kind === 'aborted') return;
        if (scored.kind === 'failed') {
            this.#tellProblem(`${id} ${group} ${entry.index}: ${scored.failure.message}`);
            return;
        }
        const by = { text: formatScorer(scoring.scorer), fingerprint: scoring.fingerprint };
        const { result: fresh, verdict } = withScore(result, scored, by);
        const last = entry.attempts.at(-1);
        // An entry's verdict is that of its last attempt, whose answer was scored.
        const attempts = last === undefined ? [] : [...entry.attempts.slice(0, -1), { ...last, verdict }];
        await writer.commit(
            group,
            { ...entry, result: fresh, attempts },
            { apiUsed: last?.api_used ?? 'local', workerId: last?.worker_id ?? '' },
        );
        this.#count(result, fresh);
    }

    #withRow(id: string, group: string, entry: StoredAnswer['entry']): StoredAnswer['entry'] {
        const isRound = group === ROUNDS && this.#topics?.has(id) === true;
        return entry.row === undefined && isRound
            ? { ...entry, row: buildTopicData(id, entry.index) }
            : entry;
    }

    async #score(answer: string, task: Task | null): Promise<Scored> {
        if (task === null) {
            const message = 'its row was not kept (--no-keep-source), so there is nothing to score by';
            return { kind: 'failed', failure: { reason: 'not-started', message } };
        }
        const { scorer } = this.#stored;
        const problem = scorer.check(task);
        if (problem !== null) return { kind: 'failed', failure: problem };
        const { signal } = this.#options;
        for (let failures = 0; ; failures += 1) {
            const scored = await scorer.score(answer, task, { signal, log: () => undefined });
            const isFinal =
                scored.kind !== 'failed' ||
                !isRetryable(scored.failure) ||
                failures >= this.#config.retries ||
                signal.aborted;
            if (isFinal) return scored;
            await sleep(backOff(failures, this.#config.retryDelay) * 1000, signal).catch(() => undefined);
        }
    }

    #tellProblem(message: string): void {
        this.#figures.unscored += 1;
        const { unscored } = this.#figures;
        if (unscored <= MAX_PROBLEMS) this.#options.onNotice(message);
        if (unscored === MAX_PROBLEMS) this.#options.onNotice('further ones are only counted');
    }

    #count(before: JsonObject, after: JsonObject): void {
        const was = before['accepted'] === true;
        const is = after['accepted'] === true;
        const figures = this.#figures;
        figures.scored += 1;
        if (is && !was) figures.accepted_now += 1;
        if (was && !is) figures.no_longer_accepted += 1;
        figures.accepted += Number(is) - Number(was);
        const { judge } = after;
        const cost = isJsonObject(judge) ? judge['cost'] : null;
        if (typeof cost === 'number') this.#judgeCost = (this.#judgeCost ?? 0) + cost;
        this.#options.onScored(figures.scored);
    }

    summary(): Omit<RescoringSummary, 'budget_spent'> {
        const { scorer, fingerprint } = this.#stored.scoring;
        return {
            dir: this.#config.dir,
            scorer: formatScorer(scorer),
            scorer_fingerprint: fingerprint,
            ...this.#figures,
            judge_cost: this.#judgeCost,
            stopped: this.#options.signal.aborted,
        };
    }
}

/** The contents of the file, unchanged: nothing moves, and only new scores supersede entries. */
function buildState(checkpoint: Checkpoint): SampleState {
    const { id, totals, failures, pending, skipped, computedLimits, retiredRevision } = checkpoint;
    const kept = [...checkpoint.entries].flatMap(([group, list]) =>
        list.flatMap((stored) => {
            const { index, fingerprint, occurrence = 0 } = stored.entry;
            if (index === null || fingerprint === null) return [];
            return [{ group, index, fingerprint, occurrence, stored }];
        }),
    );
    return {
        id,
        totals: [...totals],
        kept,
        superseded: [],
        failures,
        pending,
        skipped,
        computedLimits,
        retiredRevision,
        origin: 'resume-run',
        dirty: false,
    };
}

/** The parts of the task that scoring needs; null if its row was not kept. */
function buildTask(id: string, group: string, entry: Entry): Task | null {
    const { row, row_text: text, index, fingerprint } = entry;
    if (row === undefined) return null;
    return {
        sample: id,
        group,
        index,
        fingerprint,
        input: { kind: 'data', data: row, isRow: true, ...(text === undefined ? {} : { text }) },
        limits: null,
        stage: null,
        attempt: 1,
        confirmed: [],
        confirming: null,
        settles: true,
    };
}
