import type { Json } from '../../model/json.js';

/** A string, or one of the numbers that Python writes and JSON does not have. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs;

/**
 * JSON as Python's `json.dump` writes it: NaN and infinities, which the earlier tools' files hold, become null.
 * @throws SyntaxError of `JSON.parse`
 */
export function parsePythonJson(text: string): Json {
    return parseWith(text, () => 'null');
}

/** The same with NaN and infinities as texts (`"NaN"`), for those who look for them. @throws SyntaxError of `JSON.parse` */
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
