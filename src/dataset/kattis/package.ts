import { readFile } from 'node:fs/promises';
import { Field } from '../field.js';
import { listPackage, type PackageFile, fingerprintPackage } from './package-files.js';
import { type ProblemSettings, readProblemYaml, readTimeLimitText } from './problem-yaml.js';
import { type FoundSubmission, findSubmissions } from './submissions.js';
import { readYamlFile } from './yaml-file.js';

/** A package on disk: what was found in its folder, and its settings. */
export interface ProblemPackage {
    readonly folder: string;
    /** How messages name it. */
    readonly place: string;
    readonly files: readonly PackageFile[];
    readonly fingerprint: string;
}

export interface PackageContent {
    readonly settings: ProblemSettings;
    /** Seconds; null: to be computed from the accepted submissions. */
    readonly timeLimit: number | null;
    readonly submissions: readonly FoundSubmission[];
}

/** @param bounds real path that links must not leave */
export async function findPackage(folder: string, place: string, bounds: string): Promise<ProblemPackage> {
    const files = await listPackage(folder, bounds);
    return { folder, place, files, fingerprint: fingerprintPackage(files) };
}

/** Settings and submissions of a package; nothing is hashed. @throws UserError naming file and key */
export async function readPackage(found: ProblemPackage): Promise<PackageContent> {
    const problem = await readYaml(found, 'problem.yaml');
    // DOMjudge's archives need none.
    const settings = readProblemYaml(problem ?? Field.of({}, `${found.place}/problem.yaml`, null));
    return {
        settings,
        timeLimit: settings.timeLimit ?? (await readTimeLimit(found)),
        submissions: await findSubmissions(
            found.files,
            settings,
            await readYaml(found, 'submissions/submissions.yaml'),
        ),
    };
}

async function readYaml(found: ProblemPackage, name: string): Promise<Field | null> {
    const file = found.files.find((each) => each.name === name);
    return file === undefined ? null : readYamlFile(file, `${found.place}/${name}`);
}

/** Older tools keep the limit in files of their own. */
async function readTimeLimit(found: ProblemPackage): Promise<number | null> {
    for (const name of ['.timelimit', 'domjudge-problem.ini']) {
        const file = found.files.find(
            (each) => each.name === name && each.refused === null && each.size < 65_536,
        );
        const seconds = file === undefined ? null : readTimeLimitText(await readFile(file.path, 'utf8'));
        if (seconds !== null) return seconds;
    }
    return null;
}
