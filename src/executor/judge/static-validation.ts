import type { StagedTest } from '../../model/sample.js';
import type { RanTest } from '../judge-tests.js';
import type { PlacedFile } from '../sandbox/wire.js';
import { readFeedback } from './feedback.js';
import { chooseCheckerLimits, buildCommand, type ReadyProgram } from './judge-programs.js';
import { UNMEASURED } from './program-run.js';
import type { PlacedSubmission } from './submission.js';
import { feedbackFolder, readVerdict, withFeedback } from './validator.js';

/*
 * Static validators judge the source of a submission: `validator language entry_point feedbackdir/ flags`, started in the folder
 * of its files.
 */

const FOLDER = '.resume-run-submission';

/** The submission's files, for the static validator's box. */
export const submissionFiles = ({ files }: PlacedSubmission): PlacedFile[] =>
    files.map(({ host, name, mode }) => ({ host, name: `${FOLDER}/${name}`, mode }));

export interface JudgedSource {
    readonly ready: ReadyProgram;
    /** Tag of its language. */
    readonly language: string;
    readonly submission: PlacedSubmission;
    readonly scratch: string;
}

/** @throws CheckerError if the validator reports neither right nor wrong */
export async function judgeSource(
    { ready, language, submission, scratch }: JudgedSource,
    { staticFlags = [] }: StagedTest,
): Promise<RanTest> {
    const { box } = ready;
    const entry = submission.mainClass || submission.main;
    const args = [languageCode(language), entry, `${feedbackFolder(ready)}/`, ...staticFlags];
    const validate = withFeedback(buildCommand(ready, args));
    const report = await box.run({
        argv: ['/bin/sh', '-c', `cp -R "${box.source}/${FOLDER}/." . && exec "$0" "$@"`, ...validate],
        stdin: null,
        limits: chooseCheckerLimits(ready),
        keep: true,
    });
    const said = await readFeedback(ready, feedbackFolder(ready), scratch);
    return { kind: 'ran', run: UNMEASURED, comparison: readVerdict(report, said, 'the static validator') };
}

/** Codes from the language table of the problem package format. */
const languageCode = (tag: string): string => {
    if (tag === 'PYTHON') return 'python2';
    return tag === 'PYPY3' ? 'python3' : tag.toLowerCase();
};
