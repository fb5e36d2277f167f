import type { Piece } from '../../endpoint/http-messages.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { describeParseError, NestingError, parseBody } from '../../util/parse-body.js';
import type { ChatAnswer } from './chat-protocol.js';
import { readChatAnswer } from './read-answer.js';

/*
 * Answers streamed as server-sent events, each with a piece of the completion. They are parsed once they are complete: a stream
 * that breaks off is not an answer. Source: https://platform.openai.com/docs/api-reference/chat-streaming
 */

/** A streamed answer, or what is wrong with it; `error` is an error that the service sent in the middle of the stream. */
export type StreamedAnswer = ChatAnswer | { readonly broken: string; readonly error?: Buffer };

/** @param pieces arrival times of the parts of the body */
export function readChatStream(body: Buffer, pieces: readonly Piece[]): StreamedAnswer {
    const text = body.toString('utf8').trimStart();
    // A service that does not support streaming sends the whole answer at once.
    if (text.startsWith('{')) return readChatAnswer(body);
    const assembly = new Assembly();
    let offset = 0;
    let firstToken: number | null = null;
    while (offset < body.length) {
        const found = body.indexOf(0x0a, offset);
        const end = found === -1 ? body.length : found;
        const data = readData(body.subarray(offset, end));
        offset = end + 1;
        if (data === null || data === '[DONE]') continue;
        let chunk: unknown;
        try {
            chunk = parseBody(Buffer.from(data));
        } catch (error) {
            if (error instanceof NestingError) return { broken: describeParseError(error, body) };
            return { broken: 'the stream contains invalid JSON' };
        }
        if (!isJsonObject(chunk)) continue;
        if (chunk['error'] !== undefined && chunk['error'] !== null)
            return { broken: 'the stream ended with an error', error: Buffer.from(data) };
        if (assembly.add(chunk)) firstToken ??= measureTime(pieces, end);
    }
    if (!assembly.isWhole) return { broken: 'the stream ended before the answer did' };
    const answer = readChatAnswer(Buffer.from(JSON.stringify(assembly.completion())));
    return 'broken' in answer ? answer : { ...answer, firstToken };
}

/** The data of a line; null for comments, blank lines and other fields. The first line may begin with a byte order mark. */
function readData(line: Buffer): string | null {
    const text = line.toString('utf8').replace(/^\uFEFF/, '');
    return text.startsWith('data:') ? text.slice('data:'.length).trim() : null;
}

/** Seconds until the byte before `end` arrived. */
function measureTime(pieces: readonly Piece[], end: number): number | null {
    const piece = pieces.findLast(({ offset }) => offset < end);
    return piece === undefined ? null : piece.at / 1000;
}

/** Assembles the pieces of the first choice. */
class Assembly {
    #head: JsonObject = {};
    #content = '';
    #hasContent = false;
    #reasoning = '';
    #refusal = '';
    #finishReason: Json = null;
    #usage: Json = null;
    readonly #calls = new Map<number, { id: string; name: string; text: string }>();

    /** @returns true if the chunk contains output of the model */
    add(chunk: JsonObject): boolean {
        const { id, model, usage, choices } = chunk;
        this.#head = {
            ...(id === undefined ? {} : { id }),
            ...(model === undefined ? {} : { model }),
            ...this.#head,
        };
        if (isJsonObject(usage)) this.#usage = usage;
        const choice = Array.isArray(choices) ? (choices as readonly Json[])[0] : undefined;
        if (!isJsonObject(choice)) return false;
        if (typeof choice['finish_reason'] === 'string') this.#finishReason = choice['finish_reason'];
        const { delta } = choice;
        if (!isJsonObject(delta)) return false;
        const content = textIn(delta, 'content');
        const reasoning = textIn(delta, 'reasoning_content') || textIn(delta, 'reasoning');
        const refusal = textIn(delta, 'refusal');
        this.#hasContent ||= typeof delta['content'] === 'string';
        this.#content += content;
        this.#reasoning += reasoning;
        this.#refusal += refusal;
        const calls = Array.isArray(delta['tool_calls']) ? (delta['tool_calls'] as readonly Json[]) : [];
        for (const call of calls) this.#addCall(call);
        return content !== '' || reasoning !== '' || refusal !== '' || calls.length > 0;
    }

    #addCall(call: Json): void {
        if (!isJsonObject(call)) return;
        const index = typeof call['index'] === 'number' ? call['index'] : this.#calls.size;
        const known = this.#calls.get(index) ?? { id: '', name: '', text: '' };
        const called = isJsonObject(call['function']) ? call['function'] : {};
        known.id ||= textIn(call, 'id');
        known.name ||= textIn(called, 'name');
        known.text += textIn(called, 'arguments');
        this.#calls.set(index, known);
    }

    get isWhole(): boolean {
        return this.#finishReason !== null;
    }

    /** The completion in the format of an answer that is not streamed. */
    completion(): JsonObject {
        const calls = [...this.#calls.values()].map(
            ({ id, name, text }): Json => ({ id, type: 'function', function: { name, arguments: text } }),
        );
        const isSilent =
            this.#content === '' && (!this.#hasContent || this.#refusal !== '' || calls.length > 0);
        return {
            ...this.#head,
            choices: [
                {
                    finish_reason: this.#finishReason,
                    message: {
                        content: isSilent ? null : this.#content,
                        ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
                        ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
                        ...(calls.length === 0 ? {} : { tool_calls: calls }),
                    },
                },
            ],
            usage: this.#usage,
        };
    }
}

const textIn = (object: JsonObject, key: string): string => {
    const value = object[key];
    return typeof value === 'string' ? value : '';
};
