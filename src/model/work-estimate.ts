/** What requests to one model may come to. */
export interface ModelEstimate {
    readonly model: string;
    readonly requests: number;
    /** Tokens of all prompts, by their length. */
    readonly promptTokens: number;
    /** Tokens of all answers, if each is as long as it may be. */
    readonly answerTokens: number;
    /** US dollars for so many tokens; null: the price is unknown. */
    readonly cost: number | null;
}

/** What the tasks that would run may come to, by what is known before any of them ran. */
export interface WorkEstimate {
    /** Of all models, and searches. At the least: failed attempts are made again, and models may call tools. */
    readonly requests: number;
    readonly promptTokens: number;
    readonly answerTokens: number;
    /** US dollars, of searches too; null: the price of some model, or of searches, is unknown. */
    readonly cost: number | null;
    /** Tokens of an answer that nothing bounds, as they were assumed; null: `--max-tokens` bounds them. */
    readonly assumedAnswer: number | null;
    readonly models: readonly ModelEstimate[];
    /** Web searches, which are among the requests; absent: there are none. Cost in US dollars; null: the price is unknown. */
    readonly searches?: { readonly count: number; readonly engine: string; readonly cost: number | null };
}
