/**
 * The outcome of a request as far as the endpoint is concerned.
 * - `ok`: it did its work, whatever the result.
 * - `rate`: it asks for fewer requests (429).
 * - `overload`: it is available but cannot cope now (502, 503, 504).
 * - `broken`: no connection, an incomplete or invalid answer, another 5xx, or an internal failure.
 * - `refused`: it rejects all our requests (401, 403, 404), so no other will succeed.
 * - `unknown-model`: it does not have the requested model, but may have others.
 * - `bad-request`: it rejects this particular request (400, 413, 422).
 * - `abandoned`: nobody waited for the end; says nothing about the endpoint.
 */
export type OutcomeClass = (typeof OUTCOME_CLASSES)[number];

export const OUTCOME_CLASSES = [
    'ok',
    'rate',
    'overload',
    'broken',
    'refused',
    'unknown-model',
    'bad-request',
    'abandoned',
] as const;
