import { readFile } from 'node:fs/promises';
import type { Field } from '../field.js';
import { listPackage, type PackageFile, type PackageReach, fingerprintPackage } from './package-files.js';
import { findTestScript, lacksTests, type TestScript } from './test-script.js';
import {
    type ProblemSettings,
    readProblemYaml,
    readSpecialPrograms,
    readTimeLimitText,
} from './problem-yaml.js';
import { type FoundSubmission, findSubmissions } from './submissions.js';
import { parseYaml, parseYamlAsWritten, readYamlFile, readYamlText } from './yaml-file.js';

/** A package on disk: the files found in its folder. */
export interface ProblemPackage {
    readonly folder: string;
    /** The package's name in messages. */
    readonly place: string;
    readonly files: readonly PackageFile[];
    /** The script that makes missing tests; null if none are missing or there is no script. */
    readonly script: TestScript | null;
    readonly fingerprint: string;
}

export interface PackageContent {
    readonly settings: ProblemSettings;
    /** Seconds; null: to be computed from the accepted submissions. */
    readonly timeLimit: number | null;
    readonly submissions: readonly FoundSubmission[];
    /** Programs of a DOMjudge installation that judge it; null: none, or the package has its own validator. */
    readonly specialPrograms: string | null;
}

export async function findPackage(
    folder: string,
    place: string,
    reach: PackageReach,
): Promise<ProblemPackage> {
    const files = await listPackage(folder, reach.bounds);
    const script = lacksTests(files) ? await findTestScript(folder, reach, files) : null;
    // What the script makes also depends on other files, such as tools that packages share.
    const read = script === null ? files : [...files, ...script.files];
    return { folder, place, files, script, fingerprint: fingerprintPackage(read) };
}

/** Reads the settings and submissions of a package without hashing anything. @throws UserError naming file and key */
export async function readPackage(found: ProblemPackage): Promise<PackageContent> {
    const place = `${found.place}/problem.yaml`;
    const file = found.files.find(({ name }) => name === 'problem.yaml');
    // DOMjudge's archives may omit it.
    const text = file === undefined ? '' : await readYamlText(file, place);
    const settings = readProblemYaml(parseYaml(text, place), parseYamlAsWritten(text, place));
    return {
        settings,
        specialPrograms: await findSpecialPrograms(found),
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

async function findSpecialPrograms(found: ProblemPackage): Promise<string | null> {
    if (found.files.some(({ name }) => /^output_validators?\//.test(name))) return null;
    const text = await readSmallFile(found, 'domjudge-problem.ini');
    return text === null ? null : readSpecialPrograms(text);
}

async function readSmallFile(found: ProblemPackage, wanted: string): Promise<string | null> {
    const file = found.files.find(
        ({ name, refused, size }) => name === wanted && refused === null && size < 65_536,
    );
    return file === undefined ? null : readFile(file.path, 'utf8');
}

/** Older tools keep the time limit in separate files. */
async function readTimeLimit(found: ProblemPackage): Promise<number | null> {
    for (const name of ['.timelimit', 'domjudge-problem.ini']) {
        const text = await readSmallFile(found, name);
        const seconds = text === null ? null : readTimeLimitText(text);
        if (seconds !== null) return seconds;
    }
    return null;
}
