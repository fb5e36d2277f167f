import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';
import { describeParseError, parseBody } from '../../util/parse-body.js';
import type { ServiceRequest } from './chat-exchange.js';

/*
 * The web search of Zhipu BigModel, which a task can use before its completion: POST <base>/web_search. Source:
 * https://docs.bigmodel.cn/api-reference/工具-api/网络搜索
 */

/** Name of the step in result files. */
export const SEARCH_STEP = 'search';

/** The field of a prompt template that is replaced by the search results. */
export const SEARCH_FIELD = 'search_results';

export interface SearchOptions {
    /** Template of the query; `{field}` stands for a value of the task's row. */
    readonly query: string;
    readonly engine: string;
    /** How much of each page is returned: `low`, `medium`, `high`. */
    readonly contentSize: string;
    /** Number of results to request, at most 50. */
    readonly count: number;
}

const results = z.array(
    z.object({ title: z.string().catch(''), link: z.string().catch(''), content: z.string().catch('') }),
);

const answer = z.object({ search_result: results.nullish() });

/** A search, as stored in the step of a task and in its result. Its cost is in US dollars; null: unknown. */
const step = z.object({
    query: z.string(),
    engine: z.string(),
    results,
    cost: z.number().nullable().default(null),
    priced_by: z.string().nullable().default(null),
});

export type Search = z.infer<typeof step>;

export interface SearchRequest extends ServiceRequest<Search> {
    /** The engine determines the price. */
    readonly engine: string;
}

export function searchRequest(query: string, options: SearchOptions): SearchRequest {
    const { engine, contentSize, count } = options;
    return {
        engine,
        path: '/web_search',
        body: {
            search_query: query,
            search_engine: engine,
            search_intent: false,
            count,
            content_size: contentSize,
        },
        read: (body) => readSearch(body, query, engine),
        missing: 'this service has no web search (POST /web_search): turn it off by --no-web-search',
    };
}

function readSearch(body: Buffer, query: string, engine: string): Search | { readonly broken: string } {
    let json: unknown;
    try {
        json = parseBody(body);
    } catch (error) {
        return { broken: describeParseError(error, body) };
    }
    const parsed = answer.safeParse(json);
    if (!parsed.success) return { broken: 'the answer is not a list of search results' };
    return { query, engine, results: parsed.data.search_result ?? [], cost: null, priced_by: null };
}

/** A search that an earlier attempt saved; null if there is none, or its query differs. */
export function readSavedSearch(steps: JsonObject | undefined, query: string): Search | null {
    const parsed = step.safeParse(steps?.[SEARCH_STEP]);
    return parsed.success && parsed.data.query === query ? parsed.data : null;
}

/** The search results as they appear in a prompt: numbered, with the title, address and text of each. */
export function searchText({ results: found }: Search): string {
    if (found.length === 0) return 'No search results were found.';
    return found
        .map(({ title, link, content }, index) => `[${index + 1}] ${title}\n${link}\n${content}`)
        .join('\n\n');
}
