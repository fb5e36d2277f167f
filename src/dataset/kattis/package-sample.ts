import { makeTextContent } from '../../model/fingerprint.js';
import type { CheckerProgram, Judging, Sample, SourceFile, TaskInput, TestCase } from '../../model/sample.js';
import { nameOnSamples, renameOnSamples } from '../../model/sample-tests.js';
import type { TestScoring } from '../../model/scoring.js';
import type { Field } from '../field.js';
import type { LoadOptions } from '../package-dataset.js';
import { describeFileContent } from '../file-content.js';
import { readDomjudgeScoring } from './domjudge-scoring.js';
import { readScoring } from './grading.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import type { ProgramFile } from './program.js';
import { type PackageContent, type ProblemPackage, readPackage } from './package.js';
import { findTestFiles } from './secret-tests.js';
import { loadSubmission } from './submissions.js';
import {
    collectStaticTests,
    collectTests,
    compareNames,
    type PackageTest,
    type StaticTest,
    testSettingsFiles,
} from './tests.js';
import { loadChecker, loadGrader, loadStaticProgram } from './validators.js';
import { readYamlFile } from './yaml-file.js';

/** Lower bound of computed limits, in seconds, so that the start-up time of interpreters does not decide. */
const MIN_LIMIT_S = 1;

/** Loads a package as a sample, with all its files hashed. */
export async function loadPackage(
    found: ProblemPackage,
    id: string,
    { maker, sampleTests }: LoadOptions,
): Promise<Sample> {
    const content = await readPackage(found);
    const testFiles = await findTestFiles(found, id, content.settings, await readTestSettings(found), maker);
    const isOnSamples = sampleTests && testFiles.hasSamplesAlone === true;
    const testSettings = testFiles.settings;
    const collected = collectTests(testFiles.files, testSettings);
    const tests = withStaticTests(collected.tests, testSettings);
    const { checker, skip } = await loadChecker(found.files, content.settings);
    const scored = await loadScoring(found, content, tests, testSettings);
    const source = await loadStaticValidator(found.files, content.settings, tests);
    // If sources are judged, a package may have no other test.
    const judgesSources = tests.some((test) => 'maximum' in test);
    const { specialPrograms } = content;
    const reason =
        (specialPrograms === null
            ? null
            : `DOMjudge judges it by ${specialPrograms}, which is not in the package`) ??
        (judgesSources || isOnSamples ? null : testFiles.skip) ??
        collected.skip ??
        skip ??
        scored.skip ??
        source.skip;
    const cases: TestCase[] = [];
    if (reason === null) for (const test of tests) cases.push(await loadTest(test));
    const groups = await loadGroups(content, scored.scoring);
    return {
        id,
        origin: found.place,
        groups: isOnSamples ? renameOnSamples(groups) : groups,
        judging: {
            ...buildJudging(content, cases, checker, isOnSamples ? nameOnSamples('solution') : 'solution'),
            ...scoringKey(scored.scoring),
            ...(source.validator === null ? {} : { staticValidator: source.validator }),
        },
        skip: reason,
    };
}

/** The sample of a package whose tests, scores or validators are unreadable. */
export async function loadUnreadable(found: ProblemPackage, id: string, reason: string): Promise<Sample> {
    const content = await readPackage(found);
    return {
        id,
        origin: found.place,
        groups: await loadGroups(content, null),
        judging: buildJudging(content, [], { kind: 'kattis', flags: [] }, 'solution'),
        skip: reason,
    };
}

/** Test cases, with the static validator's test of each folder before the folder's other tests. */
function withStaticTests(
    tests: readonly PackageTest[],
    settings: ReadonlyMap<string, Field>,
): (PackageTest | StaticTest)[] {
    const all = [...tests, ...collectStaticTests(settings)];
    return all.sort((a, b) => compareNames(a.name, b.name));
}

async function loadStaticValidator(
    files: readonly PackageFile[],
    settings: ProblemSettings,
    tests: readonly (PackageTest | StaticTest)[],
): Promise<{ readonly validator: CheckerProgram | null; readonly skip: string | null }> {
    if (!tests.some((test) => 'maximum' in test)) return { validator: null, skip: null };
    return loadStaticProgram(files, settings);
}

async function readTestSettings(found: ProblemPackage): Promise<Map<string, Field>> {
    const settings = new Map<string, Field>();
    for (const file of testSettingsFiles(found.files)) {
        settings.set(file.name, await readYamlFile(file, `${found.place}/${file.name}`));
    }
    return settings;
}

async function loadTest(test: PackageTest | StaticTest): Promise<TestCase> {
    if ('maximum' in test) {
        const { name, flags } = test;
        const nothing = makeTextContent('');
        return { name, input: nothing, output: nothing, checkerFlags: null, staticFlags: flags };
    }
    const { name, input, answer, flags, args, files } = test;
    return {
        name,
        input: await describeFileContent(input.path),
        output: await describeFileContent(answer.path),
        checkerFlags: flags,
        ...(args.length === 0 ? {} : { args }),
        ...(files.length === 0 ? {} : { files: await loadFiles(files) }),
    };
}

async function loadFiles(files: readonly ProgramFile[]): Promise<SourceFile[]> {
    const loaded: SourceFile[] = [];
    for (const { name, file } of files) loaded.push({ name, content: await describeFileContent(file.path) });
    return loaded;
}

const scoringKey = (scoring: TestScoring | null): Pick<Judging, 'scoring'> =>
    scoring === null ? {} : { scoring };

/** How the package's tests are scored; null if its submissions get no scores. */
async function loadScoring(
    found: ProblemPackage,
    content: PackageContent,
    tests: readonly (PackageTest | StaticTest)[],
    testSettings: ReadonlyMap<string, Field>,
): Promise<{ readonly scoring: TestScoring | null; readonly skip: string | null }> {
    const { settings } = content;
    if (settings.scoring === null) return { scoring: null, skip: null };
    const { grader, skip } = await loadGrader(found.files, settings);
    const names = tests.map(({ name }) => name);
    const byDomjudge = isForDomjudge(found, content) ? readDomjudgeScoring(names, testSettings) : null;
    if (byDomjudge !== null) return { scoring: byDomjudge, skip: null };
    const hasTestGroups = [...testSettings.keys()].some((name) => name.endsWith('/test_group.yaml'));
    const hasTestdata = [...testSettings.keys()].some((name) => name.endsWith('/testdata.yaml'));
    const scoring = readScoring({
        tests: tests.map((test) =>
            'maximum' in test ? { name: test.name, maximum: test.maximum } : { name: test.name },
        ),
        settings: testSettings,
        ...settings.scoring,
        aggregates: hasTestGroups || (settings.modern && !hasTestdata),
        grader,
    });
    return { scoring, skip };
}

/**
 * Whether a legacy package was made for DOMjudge, which has its own rules for scores: it has DOMjudge's settings file, or its
 * submissions state scores in comments that only DOMjudge reads.
 */
const isForDomjudge = ({ files }: ProblemPackage, { settings, submissions }: PackageContent): boolean =>
    !settings.modern &&
    (files.some(({ name }) => name === 'domjudge-problem.ini') ||
        submissions.some(({ hasScoreComment }) => hasScoreComment));

async function loadGroups(content: PackageContent, scoring: TestScoring | null): Promise<Sample['groups']> {
    const groups: Record<'solution' | 'incorrect_solution', TaskInput[]> = {
        solution: [],
        incorrect_solution: [],
    };
    for (const submission of content.submissions) {
        groups[submission.group].push(await loadSubmission(submission, content.settings, scoring));
    }
    return groups;
}

function buildJudging(
    content: PackageContent,
    tests: readonly TestCase[],
    checker: Judging['checker'],
    solutions: string,
): Judging {
    const { settings, timeLimit } = content;
    return {
        tests,
        checker,
        isFormatChecker: false,
        limits: { time: timeLimit, memory: settings.memory, output: settings.output },
        limitPolicy: 'own',
        ...(settings.interactive ? { interactive: true } : {}),
        ...(settings.passes === null ? {} : { passes: settings.passes }),
        computedLimit:
            timeLimit === null
                ? {
                      group: solutions,
                      multiplier: settings.timeMultiplier,
                      atLeast: MIN_LIMIT_S,
                      resolution: settings.timeResolution,
                  }
                : null,
    };
}
