import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GivenScore } from '../../model/scoring.js';
import { getMessage } from '../../util/message.js';
import { type PackedFile, unpack } from '../sandbox/wire.js';
import { firstWords, getOutputBound, type ReadyProgram } from './judge-programs.js';

/** Contents of a validator's feedback folder. */
export interface Feedback {
    /** From `judgemessage.txt`; empty: none. */
    readonly message: string;
    /** From `score.txt` or `score_multiplier.txt`; null: neither. */
    readonly score: GivenScore | null;
    readonly files: readonly PackedFile[];
    /** Why the folder could not be read; null: it was read. */
    readonly problem: string | null;
}

/** Reads the feedback folder of a program whose work folder was kept; this empties the work folder. */
export async function readFeedback(
    { box, source }: Pick<ReadyProgram, 'box' | 'source'>,
    folder: string,
    scratch: string,
): Promise<Feedback> {
    const bundle = join(scratch, `feedback-${randomBytes(8).toString('hex')}`);
    try {
        await box.collect(folder, bundle, getOutputBound(source));
        const files = [...unpack(await readFile(bundle))];
        return toFeedback(files);
    } catch (error) {
        const problem = getMessage(error);
        return { message: problem, score: null, files: [], problem };
    } finally {
        await rm(bundle, { force: true });
    }
}

export function toFeedback(files: readonly PackedFile[]): Feedback {
    const message = files.find(({ name }) => name === MESSAGE_FILE);
    return {
        message: message === undefined ? '' : firstWords(message.content),
        score: readScore(files),
        files,
        problem: null,
    };
}

const MESSAGE_FILE = 'judgemessage.txt';
/** The files of a feedback folder that are read. */
export const FEEDBACK_FILES = [MESSAGE_FILE, 'score.txt', 'score_multiplier.txt'] as const;

const readScore = (files: readonly PackedFile[]): GivenScore | null => {
    const points = files.find(({ name }) => name === 'score.txt');
    const share = files.find(({ name }) => name === 'score_multiplier.txt');
    if (points !== undefined) return { points: parseScore(points) };
    return share === undefined ? null : { share: parseScore(share) };
};

/** NaN if the file does not contain a number, which matters only if a score is required. */
function parseScore({ content }: PackedFile): number {
    const text = content.subarray(0, 1024).toString().trim();
    return text === '' ? Number.NaN : Number(text);
}
