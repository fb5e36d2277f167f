import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FORMAT_CHECKERS, parseChecker } from '../model/checker-text.js';
import type { Checker } from '../model/sample.js';
import { messageOf } from '../util/message.js';
import { UserError } from '../util/user-error.js';

/**
 * `--checker` as data; null leaves the samples' own. A path is a checker program: testlib's convention, or that of
 * problem packages where its name says so (`validator` in it).
 * @throws UserError when the program cannot be read, or for flags that a checker does not know
 */
export async function chooseChecker(text: string | null): Promise<Checker | null> {
    if (text === null || text === FORMAT_CHECKERS) return null;
    const builtIn = parseChecker(text);
    if (builtIn !== null) {
        // Wrong flags are refused here rather than at the first test.
        if (builtIn.kind !== 'program') {
            const { comparerFor } = await import('../executor/checker/compare.js');
            comparerFor(builtIn, null);
        }
        return builtIn;
    }
    const hash = createHash('sha256');
    try {
        await pipeline(createReadStream(text), hash);
    } catch (error) {
        throw new UserError(`--checker ${text}: cannot read it: ${messageOf(error)}`);
    }
    return {
        kind: 'program',
        convention: /validat/i.test(basename(text)) ? 'kattis' : 'testlib',
        language: null,
        files: [{ name: basename(text), content: { path: text, digest: hash.digest('hex') } }],
        flags: [],
        time: null,
        memory: null,
    };
}
