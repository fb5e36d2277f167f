import { pathToFileURL } from 'node:url';
import { isJsonObject, type Json, type JsonObject } from '../../../model/json.js';
import { callForeign, ForeignCall } from '../../../util/foreign-code.js';
import { getMessage } from '../../../util/message.js';
import { shortenPath } from '../../../util/shown-path.js';
import { UserError } from '../../../util/user-error.js';
import { getInput } from '../../task-input.js';
import { expectedTextIfAny } from './expected-text.js';
import { type AnswerScorer, type Scored, scoringFailure } from './scoring.js';
import { checkRegularFile } from '../../../util/regular-file.js';
import { readReason } from '../../../util/io-error.js';

/** Argument of the function of `--scorer module:file#export`. */
export interface AnswerForScorer {
    readonly answer: string;
    /** From `--expected`; null if the row has no such field. */
    readonly expected: string | null;
    /** The task's data: its row, its coordinates in a matrix. */
    readonly row: Json;
}

/** What the function returns: a number from 0 to 1, or whether the answer is right; optionally with `details` for the result. */
export type ModuleScore =
    | number
    | boolean
    | { readonly score: number | boolean; readonly reason?: string; readonly details?: JsonObject };

/** Most bytes of `details`. */
const MAX_DETAILS_LENGTH = 64 * 1024;

/** Scores answers with a function of the user's module. @throws UserError if it cannot be loaded */
export async function createModuleScorer(
    { file, exportName }: { readonly file: string; readonly exportName: string | null },
    { expected: template, timeout }: { readonly expected: string; readonly timeout: number },
): Promise<AnswerScorer> {
    const place = `--scorer module:${shortenPath(file)}`;
    let loaded: Record<string, unknown>;
    try {
        checkRegularFile(file);
        loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    } catch (error) {
        throw new UserError(`${place}: cannot be loaded (${readReason(error)})`);
    }
    const name = exportName ?? 'default';
    const call = loaded[name];
    if (typeof call !== 'function') throw new UserError(`${place}: exports no function named ${name}`);
    const score = call as (given: AnswerForScorer) => unknown;
    return {
        isQuick: false,
        check: () => null,
        score: async (answer, task) => {
            const expected = expectedTextIfAny(template, task);
            const given: AnswerForScorer = { answer, expected, row: getInput(task) };
            try {
                const value = await callForeignWithin(timeout, () => score(given));
                return readScore(value, expected);
            } catch (error) {
                return { kind: 'failed', failure: scoringFailure(`${place}: ${getMessage(error)}`) };
            }
        },
        close: () => Promise.resolve(),
    };
}

/** @param seconds after which the call is abandoned */
async function callForeignWithin(seconds: number, call: () => unknown): Promise<unknown> {
    const foreign = new ForeignCall();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no score within ${seconds} s`)), seconds * 1000);
    });
    const strayed = new Promise<never>((_, reject) => foreign.onStray(reject));
    try {
        return await Promise.race([callForeign(foreign, async () => call()), strayed, late]);
    } finally {
        clearTimeout(timer);
    }
}

function readScore(value: unknown, expected: string | null): Scored {
    const { score, reason, details } = isJsonObject(value)
        ? value
        : { score: value as Json, reason: undefined, details: undefined };
    const number = typeof score === 'boolean' ? Number(score) : score;
    if (typeof number !== 'number' || !(number >= 0 && number <= 1)) {
        const message = `expected a number from 0 to 1, true or false, or {score}, got ${JSON.stringify(value)?.slice(0, 80) ?? String(value)}`;
        throw new Error(message);
    }
    const kept =
        isJsonObject(details) && JSON.stringify(details).length <= MAX_DETAILS_LENGTH ? details : null;
    return {
        kind: 'scored',
        score: number,
        details: {
            ...(expected === null ? {} : { expected }),
            ...(typeof reason === 'string' ? { score_reason: reason.slice(0, 2000) } : {}),
            ...(kept === null ? {} : { score_details: kept }),
        },
    };
}
