import { Validator } from '@cfworker/json-schema';
import { isJsonObject, type Json } from '../../../model/json.js';
import type { Task } from '../../../model/task.js';
import { callWithin } from '../../../util/bounded-call.js';
import { readReason } from '../../../util/io-error.js';
import { getMessage } from '../../../util/message.js';
import { isNestedDeeper, MAX_NESTING } from '../../../util/nesting.js';
import { readRegularFile } from '../../../util/regular-file.js';
import { shortenPath } from '../../../util/shown-path.js';
import { UserError } from '../../../util/user-error.js';
import { codeBlocks } from './extract-code.js';
import { renderExpectedText } from './expected-text.js';
import { type AnswerScorer, type Scored, scoringFailure } from './scoring.js';

/** Timeout of one validation in milliseconds: a schema's patterns may take exponential time. */
const VALIDATION_MS = 1000;
/** Longest answer that is validated, in characters. */
const MAX_ANSWER_LENGTH = 1_000_000;

/**
 * Scores 1 if the JSON of an answer (all of it, or its last code block that is JSON) is valid under a schema of drafts 4, 7,
 * 2019-09 or 2020-12, and 0 otherwise.
 * @param file the schema; null: the expected text is the schema
 * @throws UserError for a file that is not a schema
 */
export function createJsonSchemaScorer(file: string | null, template: string): AnswerScorer {
    const fixed = file === null ? null : readSchema(file);
    const schemaOf = (task: Task): Validator | { readonly failed: Extract<Scored, { kind: 'failed' }> } => {
        if (fixed !== null) return fixed;
        const expected = renderExpectedText(template, task);
        if (expected.kind === 'missing') return { failed: { kind: 'failed', failure: expected.failure } };
        try {
            return parseSchema(expected.text);
        } catch (error) {
            const message = `the expected text is not a JSON schema: ${getMessage(error)}`;
            return { failed: { kind: 'failed', failure: scoringFailure(message) } };
        }
    };
    return {
        isQuick: true,
        check: (task) => {
            const schema = schemaOf(task);
            return 'failed' in schema ? schema.failed.failure : null;
        },
        score: (answer, task) => {
            const schema = schemaOf(task);
            return Promise.resolve('failed' in schema ? schema.failed : validate(schema, answer));
        },
        close: () => Promise.resolve(),
    };
}

function readSchema(file: string): Validator {
    const shown = shortenPath(file);
    try {
        return parseSchema(readRegularFile(file).toString());
    } catch (error) {
        const why =
            error instanceof SchemaError || error instanceof SyntaxError ? error.message : readReason(error);
        throw new UserError(`--scorer json-schema: ${shown}: ${why}`);
    }
}

class SchemaError extends Error {}

/** Allowed values of a schema's `type`. */
const TYPES: ReadonlySet<unknown> = new Set([
    'array',
    'boolean',
    'integer',
    'null',
    'number',
    'object',
    'string',
]);

/** @throws SchemaError, SyntaxError */
function parseSchema(text: string): Validator {
    const schema: unknown = JSON.parse(text);
    if (!isJsonObject(schema)) throw new SchemaError('expected a JSON object with a schema');
    const types = [schema['type'] ?? []].flat();
    const wrong = types.find((type) => !TYPES.has(type));
    if (wrong !== undefined)
        throw new SchemaError(
            `"type": expected one of ${[...TYPES].join(', ')}, got ${JSON.stringify(wrong)}`,
        );
    return new Validator(schema, detectDraft(schema['$schema']));
}

function detectDraft(named: Json | undefined): '4' | '7' | '2019-09' | '2020-12' {
    const text = typeof named === 'string' ? named : '';
    if (text.includes('draft-04')) return '4';
    if (text.includes('draft-07') || text.includes('draft-06')) return '7';
    return text.includes('2019-09') ? '2019-09' : '2020-12';
}

function validate(schema: Validator, answer: string): Scored {
    const value = jsonIn(answer.slice(0, MAX_ANSWER_LENGTH));
    if (value === undefined) return wrong('the answer holds no JSON');
    if (isNestedDeeper(value, MAX_NESTING)) return wrong('the JSON of the answer is nested too deeply');
    try {
        const { valid, errors } = callWithin(VALIDATION_MS, () => schema.validate(value));
        if (valid) return { kind: 'scored', score: 1, details: {} };
        const last = errors.at(-1);
        return wrong(last === undefined ? 'not valid' : `${last.instanceLocation}: ${last.error}`);
    } catch (error) {
        const message = `the JSON schema cannot be used: ${getMessage(error)}`;
        return { kind: 'failed', failure: scoringFailure(message) };
    }
}

const wrong = (why: string): Scored => ({
    kind: 'scored',
    score: 0,
    details: { score_reason: why.slice(0, 500) },
});

/** The JSON value of an answer; undefined: there is none. */
function jsonIn(answer: string): Json | undefined {
    const texts = [
        answer,
        ...codeBlocks(answer)
            .map(({ text }) => text)
            .reverse(),
    ];
    for (const text of texts) {
        try {
            return JSON.parse(text.trim()) as Json;
        } catch {
            // Try the next text.
        }
    }
    return undefined;
}
