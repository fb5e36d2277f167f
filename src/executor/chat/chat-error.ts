import { isJsonObject } from '../../model/json.js';
import { parseBody } from '../../util/parse-body.js';

/**
 * What an error of a chat service means.
 * - `rate`: the service asks for fewer requests; `overload`: it is overloaded; `broken`: no usable answer. All are retried.
 * - `unknown-model`: the service does not have the model. Other models of the service may work.
 * - `quota`: no credit is left; `auth`: the key is rejected. The endpoint is no longer used.
 * - `content`: the service's filter declined. A verdict about the task, not a failure.
 * - `bad-request`: this request can never succeed. Recorded, not retried.
 */
export type ChatErrorClass =
    | 'rate'
    | 'overload'
    | 'broken'
    | 'quota'
    | 'auth'
    | 'unknown-model'
    | 'content'
    | 'bad-request';

export interface ChatError {
    readonly class: ChatErrorClass;
    /** The service's own code, if it sent one. */
    readonly code: string | null;
    readonly message: string;
    /** Milliseconds after which the service takes requests again, according to its message; null: the message does not say. */
    readonly wait: number | null;
}

/**
 * Codes of Zhipu BigModel. They come with any HTTP status: a 429 may mean an empty balance. Source:
 * https://docs.bigmodel.cn/cn/faq/api-code
 */
const BIGMODEL: readonly (readonly [from: number, to: number, ChatErrorClass])[] = [
    [1000, 1004, 'auth'],
    [1110, 1113, 'quota'],
    [1121, 1121, 'quota'],
    [1210, 1210, 'bad-request'],
    [1211, 1211, 'unknown-model'],
    [1212, 1215, 'bad-request'],
    [1261, 1261, 'bad-request'],
    [1301, 1301, 'content'],
    [1302, 1303, 'rate'],
    [1304, 1304, 'quota'],
    [1305, 1305, 'overload'],
    [1308, 1308, 'quota'],
    [1309, 1311, 'quota'],
    [1312, 1312, 'overload'],
    [1313, 1313, 'quota'],
];

/** Codes of OpenAI-compatible services, in `error.code` or `error.type`. */
const NAMED: Readonly<Record<string, ChatErrorClass>> = {
    insufficient_quota: 'quota',
    billing_hard_limit_reached: 'quota',
    rate_limit_exceeded: 'rate',
    invalid_api_key: 'auth',
    account_deactivated: 'auth',
    content_filter: 'content',
    content_policy_violation: 'content',
    context_length_exceeded: 'bad-request',
    model_not_found: 'unknown-model',
    // vLLM and other self-hosted servers
    NotFoundError: 'unknown-model',
    // DashScope
    data_inspection_failed: 'content',
    DataInspectionFailed: 'content',
    Arrearage: 'quota',
};

/** This provider's 429 with `insufficient_quota` is a per-minute limit, which ends by itself. */
const QUOTA_BY_MINUTE = 'dashscope';

/** An answer that is not a completion. */
export interface ErrorAnswer {
    /** Null if no answer arrived. */
    readonly status: number | null;
    readonly body: Buffer | null;
    /** The service's name, if it is a known one. */
    readonly provider?: string | undefined;
}

/**
 * Classifies an answer that is not a completion: by the vendor's code first, then by the HTTP status.
 * @param message the text to show if the answer has none
 */
export function classifyChatError(
    { status, body, provider }: ErrorAnswer,
    message: string,
    now = Date.now(),
): ChatError {
    const { code, type, text, isModerated } = readError(body);
    const said = status === null ? message : `HTTP ${status}${text === null ? '' : `: ${text}`}`;
    const wait = code !== null && RESETS.has(code) ? resetIn(text ?? '', now) : null;
    // A quota that is reset at a stated time only needs waiting.
    const named = wait === null ? (classOfCode(code) ?? classOfCode(type)) : 'rate';
    const isMinute = named === 'quota' && status === 429 && provider === QUOTA_BY_MINUTE;
    const byCode = isModerated ? 'content' : isMinute ? 'rate' : named;
    const isMissing = (status === 404 || status === 400) && MISSING_MODEL.test(text ?? '');
    const byText = isMissing ? 'unknown-model' : null;
    const byStatus = classOfStatus(status === 200 ? (statusIn(code) ?? status) : status);
    return { class: byCode ?? byText ?? byStatus, code: code ?? type, message: said, wait };
}

/** OpenRouter sends status 200 as soon as a model has begun, and reports later errors with the HTTP status as the code. */
const statusIn = (code: string | null): number | null =>
    code !== null && /^[45]\d\d$/.test(code) ? Number(code) : null;

/** Codes of BigModel for limits that are lifted at a time that the message states. */
const RESETS: ReadonlySet<string> = new Set(['1304', '1308', '1310']);

const MISSING_MODEL = /model\b.{0,80}\b(does not exist|not exist|not found)|unknown model/i;

/**
 * Milliseconds until the time stated in a message, which is in China's time zone; null: it states none. At least a second, since
 * clocks differ.
 */
function resetIn(text: string, now: number): number | null {
    const [, date, time] = /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)/.exec(text) ?? [];
    const at = date === undefined || time === undefined ? Number.NaN : Date.parse(`${date}T${time}+08:00`);
    return Number.isNaN(at) ? null : Math.max(1000, at - now);
}

function readError(body: Buffer | null): {
    readonly code: string | null;
    readonly type: string | null;
    readonly text: string | null;
    /** OpenRouter lists the reasons of its moderation, but sends the same HTTP status as for a rejected key. */
    readonly isModerated: boolean;
} {
    let json: unknown;
    try {
        json = parseBody(body ?? Buffer.alloc(0));
    } catch {
        return NO_ERROR;
    }
    const error = isJsonObject(json) && isJsonObject(json['error']) ? json['error'] : json;
    if (!isJsonObject(error)) return NO_ERROR;
    const code = asText(error['code']);
    const type = asText(error['type']);
    const { message, metadata } = error;
    const isModerated = isJsonObject(metadata) && Array.isArray(metadata['reasons']);
    const text = typeof message === 'string' ? message.replace(/\s+/g, ' ').slice(0, 300) : null;
    return { code, type, text, isModerated };
}

const NO_ERROR = { code: null, type: null, text: null, isModerated: false } as const;

/** A code as text; some services write numbers. */
function asText(value: unknown): string | null {
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' && value !== '' ? value : null;
}

function classOfCode(code: string | null): ChatErrorClass | null {
    if (code === null) return null;
    if (Object.hasOwn(NAMED, code)) return NAMED[code] ?? null;
    const number = /^\d{4}$/.test(code) ? Number(code) : Number.NaN;
    return BIGMODEL.find(([from, to]) => number >= from && number <= to)?.[2] ?? null;
}

function classOfStatus(status: number | null): ChatErrorClass {
    switch (status) {
        case null:
            return 'broken';
        case 401:
        case 403:
        case 404:
        case 405:
        case 407:
            return 'auth';
        case 402:
            return 'quota';
        case 408:
            return 'broken';
        case 429:
            return 'rate';
        case 502:
        case 503:
        case 504:
        case 529:
            return 'overload';
        default:
            return status >= 400 && status < 500 ? 'bad-request' : 'broken';
    }
}
