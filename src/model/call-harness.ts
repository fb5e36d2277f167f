import { digest } from './fingerprint.js';
import type { ProgramInput, SourceFile } from './sample.js';

/**
 * Stands for the harness that calls functions (dataset/calls/harness.ts) in fingerprints. Raise its number if a change of the
 * harness changes verdicts.
 */
export const CALL_HARNESS_DIGEST = digest('resume-run call harness 1');

/** The file of a program that users have in mind: the harness in front of a called function is ours. */
export function chooseShownFile({ files }: Pick<ProgramInput, 'files'>): SourceFile {
    return files.find(({ content }) => content.digest !== CALL_HARNESS_DIGEST) ?? files[0];
}
