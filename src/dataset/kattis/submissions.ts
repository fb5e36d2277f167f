import type { ProgramInput } from '../../model/sample.js';
import type { ExpectedScore, TestScoring } from '../../model/scoring.js';
import { PROGRAM_VERDICTS, type Verdict } from '../../model/verdict.js';
import type { Field } from '../field.js';
import { toLanguageTag } from '../language-tags.js';
import {
    readAnnotatedVerdicts,
    readAnnotatedScore,
    chooseExpectedByFolder,
    combineExpected,
    type SubmissionSettings,
    readSubmissionSettings,
} from './expected.js';
import {
    findDriver,
    findLanguageByName,
    findLanguageOfProgram,
    findMainFile,
    type SourceText,
} from './languages.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import { type ProgramFile, readSourceTexts, findRefusedFile, readSourceFiles } from './program.js';

/** A submission of a package before it is hashed. */
export interface FoundSubmission {
    readonly group: 'solution' | 'incorrect_solution';
    /** `submissions/accepted/fast.cpp` */
    readonly name: string;
    readonly language: string;
    readonly files: readonly ProgramFile[];
    readonly main: string;
    readonly expected: readonly Verdict[];
    readonly expectedScores: readonly ExpectedScore[];
    /** Whether its source names a score, as `@EXPECTED_SCORE@: 30`. */
    readonly hasScoreComment: boolean;
    readonly skip: string | null;
}

interface Entry {
    readonly name: string;
    readonly folder: string;
    readonly base: string;
    readonly files: ProgramFile[];
}

/** Every submission, sorted by name: the files and folders in those folders of submissions/ that state what is expected. */
export async function findSubmissions(
    files: readonly PackageFile[],
    settings: ProblemSettings,
    yaml: Field | null,
): Promise<FoundSubmission[]> {
    const found: FoundSubmission[] = [];
    for (const entry of listEntries(files)) {
        const submission = await readEntry(entry, files, settings, yaml);
        if (submission !== null) found.push(submission);
    }
    return found;
}

/** A file or a folder directly in a folder of submissions/ is one program. */
function listEntries(files: readonly PackageFile[]): Entry[] {
    const entries = new Map<string, Entry>();
    for (const file of files) {
        const [, folder, base, inside] = /^submissions\/([^/]+)\/([^/]+)(?:\/(.+))?$/.exec(file.name) ?? [];
        if (folder === undefined || base === undefined) continue;
        const name = `submissions/${folder}/${base}`;
        const entry = entries.get(name) ?? { name, folder, base, files: [] };
        entry.files.push({ name: inside ?? base, file });
        entries.set(name, entry);
    }
    return [...entries.values()];
}

async function readEntry(
    entry: Entry,
    all: readonly PackageFile[],
    settings: ProblemSettings,
    yaml: Field | null,
): Promise<FoundSubmission | null> {
    const { name, folder, base } = entry;
    const own = readSubmissionSettings(yaml, name.slice('submissions/'.length));
    const sources = await readSourceTexts(entry.files);
    const refused = findRefusedFile(entry.files);
    if (sources.length === 0 && settings.submitsAnswers) return readAnswers(entry, own, refused);
    // Notes and data beside the submissions are not submissions.
    if (sources.length === 0 && (refused === null || findLanguageByName(base) === null)) return null;
    const annotated = annotatedScores(sources);
    const expectedScores = own.scores.length > 0 ? own.scores : annotated;
    const expected =
        findExpected(folder, sources, own.expected) ?? (expectedScores.length > 0 ? PROGRAM_VERDICTS : null);
    if (expected === null) return null;
    const named = own.language === null ? null : toLanguageTag(own.language);
    const language = named ?? findLanguageOfProgram(sources) ?? findLanguageByName(base);
    const files = language === null ? entry.files : withIncludes(entry.files, all, language);
    const texts = files === entry.files ? sources : await readSourceTexts(files);
    const driver =
        own.entrypoint === null ? findDriver(texts, language ?? '', addedNames(files, entry)) : null;
    const main = driver ?? findMainFile(texts, language ?? '', base, own.entrypoint);
    return {
        group: folder === 'accepted' || onlyAccepted(expected) ? 'solution' : 'incorrect_solution',
        name,
        language: language ?? 'UNKNOWN',
        files,
        main: main ?? files[0]?.name ?? base,
        expected,
        expectedScores,
        hasScoreComment: annotated.length > 0,
        skip: refused ?? languageSkip(language, settings) ?? entrySkip(own.entrypoint, main),
    };
}

/** Answers to the tests instead of a program: one file, or a folder of files named like tests. */
function readAnswers(
    { name, folder, files }: Entry,
    own: SubmissionSettings,
    refused: string | null,
): FoundSubmission | null {
    const expected =
        findExpected(folder, [], own.expected) ?? (own.scores.length > 0 ? PROGRAM_VERDICTS : null);
    if (expected === null) return null;
    return {
        group: folder === 'accepted' || onlyAccepted(expected) ? 'solution' : 'incorrect_solution',
        name,
        language: 'ANSWERS',
        files,
        main: files[0]?.name ?? '',
        expected,
        expectedScores: own.scores,
        hasScoreComment: false,
        skip: refused,
    };
}

function annotatedScores(sources: readonly SourceText[]): readonly ExpectedScore[] {
    const score = sources.map(({ text }) => readAnnotatedScore(text)).find((one) => one !== null) ?? null;
    return score === null ? [] : [{ min: score, max: score }];
}

const onlyAccepted = (expected: readonly Verdict[]): boolean =>
    expected.every((verdict) => verdict === 'Accepted');

/** submissions.yaml narrows what a folder means, or gives a meaning to other folders. */
function findExpected(
    folder: string,
    sources: readonly SourceText[],
    byYaml: readonly Verdict[] | null,
): readonly Verdict[] | null {
    const comment =
        sources.map((source) => readAnnotatedVerdicts(source.text)).find((verdicts) => verdicts !== null) ??
        null;
    const byFolder = chooseExpectedByFolder(folder, comment);
    if (byYaml === null || byYaml.length === 0) return byFolder;
    const both = byFolder?.filter((verdict) => byYaml.includes(verdict)) ?? [];
    return both.length > 0 ? both : byYaml;
}

function languageSkip(language: string | null, settings: ProblemSettings): string | null {
    if (language === null) return 'its language cannot be determined from its files';
    const { languages } = settings;
    return languages === null || languages.includes(language)
        ? null
        : `the problem does not allow ${language}`;
}

function entrySkip(entrypoint: string | null, main: string | null): string | null {
    return entrypoint === null || main !== null
        ? null
        : `its entry point ${JSON.stringify(entrypoint)} is none of its files`;
}

/** Adds the files that the problem supplies for every submission in a language; they replace files of the same name. */
function withIncludes(
    files: readonly ProgramFile[],
    all: readonly PackageFile[],
    language: string,
): readonly ProgramFile[] {
    const merged = new Map(files.map((each) => [each.name, each]));
    const before = merged.size;
    let added = false;
    for (const wanted of ['default', language]) {
        for (const file of all) {
            const [, code = '', name] = /^include\/([^/]+)\/(.+)$/.exec(file.name) ?? [];
            if (name === undefined || (code !== wanted && toLanguageTag(code) !== wanted)) continue;
            merged.set(name, { name, file });
            added = true;
        }
    }
    return added || merged.size !== before ? [...merged.values()] : files;
}

const addedNames = (files: readonly ProgramFile[], { files: own }: Entry): ReadonlySet<string> =>
    new Set(files.filter((file) => !own.includes(file)).map(({ name }) => name));

/** The submission with its files hashed. */
export async function loadSubmission(
    found: FoundSubmission,
    settings: ProblemSettings,
    scoring: TestScoring | null,
): Promise<ProgramInput> {
    const { language, name, expectedScores, skip } = found;
    const files = await readSourceFiles(found.files, found.main, settings.constants);
    const program = {
        kind: 'program',
        language,
        // Kattis, BAPCtools and DOMjudge run it with PyPy, so labels and computed limits assume that.
        ...(language === 'PYTHON3' ? { preferred: 'PYPY3' } : {}),
        files,
        expected: scoring === null ? found.expected : combineExpected(found, settings, scoring.best),
        ...(scoring === null || expectedScores.length === 0 ? {} : { expectedScores }),
        name,
    } as const;
    return skip === null ? program : { ...program, skip };
}
