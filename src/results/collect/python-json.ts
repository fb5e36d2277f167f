import type { Json } from '../../model/json.js';

/** A string, or one of the numbers that Python writes but JSON lacks. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs;

/**
 * Parses JSON as Python's `json.dump` writes it: NaN and infinities, which occur in the earlier tools' files, become null.
 * @throws SyntaxError of `JSON.parse`
 */
export function parsePythonJson(text: string): Json {
    return parseWith(text, () => 'null');
}

/** The same, with NaN and infinities as strings (`"NaN"`), for callers that look for them. @throws SyntaxError of `JSON.parse` */
export function parsePythonNumbers(text: string): Json {
    return parseWith(text, (token) => `"${token}"`);
}

function parseWith(text: string, replace: (token: string) => string): Json {
    try {
        return JSON.parse(text) as Json;
    } catch (error) {
        const plain = text.replaceAll(TOKENS, (token) => (token.startsWith('"') ? token : replace(token)));
        if (plain === text) throw error;
        return JSON.parse(plain) as Json;
    }
}
