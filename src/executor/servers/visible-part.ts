import { readFile } from 'node:fs/promises';
import type { Checker, StagedTest } from '../../model/sample.js';
import { compareOutput } from '../checker/compare.js';

/**
 * Whether an output whose end may be lost can be the beginning of a correct one: it is shorter than the expected output, and is a
 * prefix of it or passes the comparison with the same number of its lines or tokens. A checker program needs the whole output, so
 * with one the answer is always true.
 * @throws errors of the comparison
 */
export async function doesVisiblePartAgree(
    checker: Checker,
    test: StagedTest,
    output: Buffer,
): Promise<boolean> {
    if (checker.kind === 'program') return true;
    const answer = (await readFile(test.answer)).toString('latin1');
    const text = output.toString('latin1');
    const [visible, expected] = [collapse(text), collapse(answer)];
    if (visible.length >= expected.length) return false;
    if (expected.startsWith(visible)) return true;
    for (const beginningsOf of [beginningLines, beginningTokens]) {
        const beginnings = beginningsOf(text, answer);
        if (beginnings === null) continue;
        const [ours, theirs] = beginnings.map((one) => Buffer.from(one, 'latin1')) as [Buffer, Buffer];
        if ((await compareOutput(checker, ours, theirs, test.checkerFlags)).accepted) return true;
    }
    return false;
}

/** The complete lines of an output, and the same number of expected lines; null if there are no more expected lines than that. */
function beginningLines(text: string, answer: string): [string, string] | null {
    const lines = text.split('\n').slice(0, -1);
    const expected = answer.split('\n');
    if (lines.length === 0 || lines.length >= expected.length) return null;
    return [lines.join('\n'), expected.slice(0, lines.length).join('\n')];
}

/** The same by tokens, without the last one, which may be cut. */
function beginningTokens(text: string, answer: string): [string, string] | null {
    const tokens = splitTokens(text).slice(0, -1);
    const expected = splitTokens(answer);
    if (tokens.length === 0 || tokens.length >= expected.length) return null;
    return [tokens.join(' '), expected.slice(0, tokens.length).join(' ')];
}

const splitTokens = (text: string): string[] => text.split(/\s+/).filter(Boolean);
const collapse = (text: string): string => text.trim().replace(/\s+/g, ' ');
