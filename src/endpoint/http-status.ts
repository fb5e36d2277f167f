import { unreachable } from '../util/unreachable.js';
import type { HttpFailure } from './http-messages.js';

/** What an HTTP status says about the endpoint; null: an answer to read. */
export function classifyStatus(status: number): HttpFailure['outcome'] | null {
    if (status >= 200 && status < 300) return null;
    switch (status) {
        case 429:
            return 'rate';
        case 401:
        case 403:
        case 404:
        case 405:
            return 'refused';
        case 502:
        case 503:
        case 504:
            return 'overload';
        default:
            return status >= 400 && status < 500 && status !== 408 ? 'bad-request' : 'broken';
    }
}

/** Whether another attempt may turn out differently. */
export function isWorthRetrying(outcome: HttpFailure['outcome']): boolean {
    switch (outcome) {
        case 'rate':
        case 'overload':
        case 'broken':
            return true;
        case 'refused':
        case 'bad-request':
            return false;
        default:
            return unreachable(outcome, 'outcome class');
    }
}
