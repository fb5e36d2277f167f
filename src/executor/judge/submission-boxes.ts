import type { Limits } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { Box } from '../sandbox/box.js';
import type { PlacedFile, RunLimits } from '../sandbox/wire.js';
import type { Language } from './language.js';

/** A compiled submission and the command that starts it. */
export interface RunnableSubmission {
    /** The box that runs its tests, already open. */
    readonly box: Box;
    /** Opens another box, with more files beside the program's own. */
    readonly openBox: (more: readonly PlacedFile[]) => Promise<Box>;
    /** Its command, with the test's arguments. */
    readonly argv: (box: Box, test: StagedTest) => readonly [string, ...string[]];
    readonly language: Language;
    readonly limits: Limits;
    readonly runLimits: RunLimits;
}

/** Folder in a box's source folder for the files that a test gives to programs. */
const GIVEN_FOLDER = '.resume-run-given';
const READ_ONLY = 0o444;

/**
 * Boxes of a submission whose tests run one after another: one shared box, and a separate one for each test that gives the
 * program files.
 */
export class SubmissionBoxes {
    #box: Box;

    constructor(private readonly submission: RunnableSubmission) {
        this.#box = submission.box;
    }

    /** A box for a test, and the command that runs the test in it. */
    async open(test: StagedTest): Promise<{ box: Box; argv: readonly [string, ...string[]] }> {
        const { submission } = this;
        if (test.files !== undefined) {
            const box = await submission.openBox(placed(test.files));
            return { box, argv: withFiles(box, submission.argv(box, test)) };
        }
        if (!this.#box.alive) this.#box = await submission.openBox([]);
        return { box: this.#box, argv: submission.argv(this.#box, test) };
    }

    /** Releases a test's box, since no other test may see its files. */
    done(box: Box): void {
        if (box !== this.#box) void box.close();
    }
}

function placed(files: NonNullable<StagedTest['files']>): PlacedFile[] {
    return files.map(({ name, content }) => {
        if (content.path === undefined) throw new Error('bug in resume-run: a file of a test was not staged');
        return { host: content.path, name: `${GIVEN_FOLDER}/${name}`, mode: READ_ONLY };
    });
}

/** Copies the files into the working directory, where the program may change them. */
const withFiles = (box: Box, command: readonly string[]): [string, ...string[]] => [
    '/bin/sh',
    '-c',
    `cp -R "${box.source}/${GIVEN_FOLDER}/." . && chmod -R u+w . && exec "$0" "$@"`,
    ...command,
];
