import { z } from 'zod';
import { readReason } from '../../util/io-error.js';
import { readRegularFile } from '../../util/regular-file.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import type { TokenUsage } from './chat-protocol.js';

/** Prices of one model, in US dollars per million tokens. */
export interface ModelPrice {
    readonly input: number;
    /** For prompt tokens that the service had cached; absent: same as `input`. */
    readonly cached?: number | undefined;
    readonly output: number;
}

/** Prices given by the user, by model name. They take precedence over the bundled ones. */
export interface PriceTable {
    /** Date of the prices, as given in the file. */
    readonly date: string;
    readonly models: Readonly<Record<string, ModelPrice>>;
    /** US dollars per web search, by engine. */
    readonly searches?: Readonly<Record<string, number>> | undefined;
}

/** The bundled prices: a package that tracks the services' price lists. Its version dates them. */
export const BUNDLED_PRICES = '@pydantic/genai-prices 0.1.8';

/** The properties of an answer that its price depends on. */
export interface PricedAnswer {
    /** The name used in the request. */
    readonly model: string;
    /** The name reported by the service. */
    readonly deployment: string | null;
    readonly usage: TokenUsage;
    /** Base URL of the service. */
    readonly url: string;
}

/** US dollars and the source of the prices; null: unknown, which is not 0. */
export interface Cost {
    readonly amount: number;
    readonly source: string;
}

const price = z.number().nonnegative();
const priceFile = z.strictObject({
    date: z.iso.date(),
    models: z.record(z.string(), z.strictObject({ input: price, cached: price.optional(), output: price })),
    searches: z.record(z.string(), price).optional(),
});

/**
 * Reads a price file: `{"date": "2026-11-01", "models": {"name": {"input": 0.6, "cached": 0.11, "output": 2.2}}}`, and
 * `"searches": {"engine": 0.01}` beside the models.
 * @throws UserError
 */
export function readPrices(path: string): PriceTable {
    const shown = shortenPath(path);
    let json: unknown;
    try {
        json = JSON.parse(readRegularFile(path).toString());
    } catch (error) {
        const why = error instanceof SyntaxError ? error.message : readReason(error);
        throw new UserError(`--prices: cannot read ${shown}: ${why}`);
    }
    const parsed = priceFile.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new UserError(
        `--prices: ${shown}: ${issue?.path.join('.')}: ${issue?.message}; expected ` +
            '{"date": "2026-11-01", "models": {"<name>": {"input": 0.6, "cached": 0.11, "output": 2.2}}}, in US dollars per million tokens',
    );
}

/** What an answer cost; the user's prices take precedence. */
export async function computeCost(answer: PricedAnswer, table: PriceTable | null): Promise<Cost | null> {
    const { model, deployment, usage, url } = answer;
    const { prompt, completion } = usage;
    if (prompt === null || completion === null) return null;
    const own = priceIn(table, model) ?? priceIn(table, deployment);
    if (own !== null) return { amount: computePrice(usage, own), source: nameTable(table?.date) };
    const key = `${model}\n${deployment}\n${url}`;
    if (unpriced.has(key)) return null;
    bundled ??= import('@pydantic/genai-prices');
    const { calcPrice } = await bundled;
    const tokens = {
        input_tokens: prompt,
        output_tokens: completion,
        ...(usage.cached === null ? {} : { cache_read_tokens: Math.min(usage.cached, prompt) }),
    };
    const found =
        calcPrice(tokens, model, { providerApiUrl: url }) ??
        (deployment === null ? null : calcPrice(tokens, deployment, { providerApiUrl: url }));
    if (found !== null) return { amount: found.total_price, source: BUNDLED_PRICES };
    if (unpriced.size < MAX_UNPRICED) unpriced.add(key);
    return null;
}

/** What one web search costs. No service's price list gives this in dollars, so only the user's prices contain it. */
export function findSearchPrice(table: PriceTable | null, engine: string): Cost | null {
    const { searches = {}, date } = table ?? {};
    const amount = Object.hasOwn(searches, engine) ? searches[engine] : undefined;
    return amount === undefined ? null : { amount, source: nameTable(date) };
}

const nameTable = (date: string | undefined): string => `--prices of ${date}`;

/** Models without a bundled price: searching all bundled prices for one takes longer than all other work on an answer. */
const unpriced = new Set<string>();
/** Rows may name any number of models, so the set is bounded. */
const MAX_UNPRICED = 10_000;

/** Loaded by the first answer that needs it, since it takes a third of a second. */
let bundled: Promise<typeof import('@pydantic/genai-prices')> | null = null;

const priceIn = (table: PriceTable | null, model: string | null): ModelPrice | null =>
    model !== null && table !== null && Object.hasOwn(table.models, model)
        ? (table.models[model] ?? null)
        : null;

/** The prompt's tokens include cached ones, and the completion's include reasoning tokens; neither is counted twice. */
export function computePrice({ prompt, cached, completion }: TokenUsage, given: ModelPrice): number {
    const fromCache = Math.min(cached ?? 0, prompt ?? 0);
    const millionths =
        ((prompt ?? 0) - fromCache) * given.input +
        fromCache * (given.cached ?? given.input) +
        (completion ?? 0) * given.output;
    return millionths / 1e6;
}
