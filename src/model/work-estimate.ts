/** An estimate of the requests to one model. */
export interface ModelEstimate {
    readonly model: string;
    readonly requests: number;
    /** Tokens of all prompts, estimated from their length. */
    readonly promptTokens: number;
    /** Tokens of all answers if each has the maximum length. */
    readonly answerTokens: number;
    /** US dollars for these tokens; null: the price is unknown. */
    readonly cost: number | null;
}

/** An estimate for the tasks that would run, made before any of them ran. */
export interface WorkEstimate {
    /** Of all models, including searches. A lower bound: failed attempts are repeated, and models may call tools. */
    readonly requests: number;
    readonly promptTokens: number;
    readonly answerTokens: number;
    /** US dollars, including searches; null: the price of some model, or of searches, is unknown. */
    readonly cost: number | null;
    /** Tokens assumed for an answer without a bound; null: `--max-tokens` bounds them. */
    readonly assumedAnswer: number | null;
    readonly models: readonly ModelEstimate[];
    /** Web searches, which are among the requests; absent: there are none. Cost in US dollars; null: the price is unknown. */
    readonly searches?: { readonly count: number; readonly engine: string; readonly cost: number | null };
}
