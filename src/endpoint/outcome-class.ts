/**
 * What a request to an endpoint came to, as far as the endpoint is concerned.
 * - `ok`: it did its work, whatever the work's result.
 * - `rate`: it asks for fewer requests (429).
 * - `overload`: it is there, but cannot cope now (502, 503, 504).
 * - `broken`: no connection, half an answer, nonsense, another 5xx, or its own machinery failed.
 * - `refused`: it does not want us at all (401, 403, 404): no request will fare better.
 * - `unknown-model`: it does not have the model that was asked for; it may have others.
 * - `bad-request`: it does not want this request (400, 413, 422).
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
