import { basename } from 'node:path';
import type { CheckerSetting } from '../config.js';
import { hashFile } from '../host/hash-file.js';
import type { Checker } from '../model/sample.js';
import { readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';

/**
 * The checker selected by `--checker`; null leaves the samples' own. A program follows testlib's convention, or that of problem
 * packages if its name contains `validat`.
 * @throws UserError if the program cannot be read, or for flags that the checker does not know
 */
export async function chooseChecker(setting: CheckerSetting | null): Promise<Checker | null> {
    if (setting === null || setting.kind === 'format') return null;
    if (setting.kind === 'built-in') {
        const { checker } = setting;
        // Refuse wrong flags here rather than at the first test.
        if (checker.kind !== 'program') {
            const { chooseComparer } = await import('../executor/checker/compare.js');
            chooseComparer(checker, null);
        }
        return checker;
    }
    const { path } = setting;
    let digest: string;
    try {
        digest = (await hashFile(path)).sha256;
    } catch (error) {
        throw new UserError(`--checker ${path}: cannot read it: ${readReason(error)}`);
    }
    return {
        kind: 'program',
        convention: /validat/i.test(basename(path)) ? 'kattis' : 'testlib',
        language: null,
        files: [{ name: basename(path), content: { path, digest } }],
        flags: [],
        time: null,
        memory: null,
    };
}
