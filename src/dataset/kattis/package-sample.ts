import type { Judging, Sample, TaskInput, TestCase } from '../../model/sample.js';
import type { TestScoring } from '../../model/scoring.js';
import type { Field } from '../field.js';
import { fileContent } from '../file-content.js';
import { readScoring } from './grading.js';
import { type PackageContent, type ProblemPackage, readPackage } from './package.js';
import { loadSubmission } from './submissions.js';
import { collectTests, type PackageTest, type PackageTests, testSettingsFiles } from './tests.js';
import { loadChecker, loadGrader } from './validators.js';
import { readYamlFile } from './yaml-file.js';

/** Least limit that is computed, in seconds: start-up of interpreters must not decide. */
const LEAST_LIMIT = 1;

/** The sample that a package is, with everything hashed. */
export async function loadPackage(found: ProblemPackage, id: string): Promise<Sample> {
    const content = await readPackage(found);
    const testSettings = await readTestSettings(found);
    const tests = collectTests(found.files, testSettings);
    const { checker, skip } = await loadChecker(found.files, content.settings);
    const scored = await loadScoring(found, content, tests, testSettings);
    const reason =
        content.settings.skip ??
        (found.files.some((file) => file.name.startsWith('static_validator/'))
            ? 'its static validation is not supported'
            : null) ??
        tests.skip ??
        skip ??
        scored.skip;
    const cases: TestCase[] = [];
    if (reason === null) for (const test of tests.tests) cases.push(await loadTest(test));
    return {
        id,
        origin: found.place,
        groups: await loadGroups(content, scored.scoring),
        judging: { ...judgingOf(content, cases, checker), ...scoringKey(scored.scoring) },
        skip: reason,
    };
}

async function readTestSettings(found: ProblemPackage): Promise<Map<string, Field>> {
    const settings = new Map<string, Field>();
    for (const file of testSettingsFiles(found.files)) {
        settings.set(file.name, await readYamlFile(file, `${found.place}/${file.name}`));
    }
    return settings;
}

async function loadTest({ name, input, answer, flags }: PackageTest): Promise<TestCase> {
    return {
        name,
        input: await fileContent(input.path),
        output: await fileContent(answer.path),
        checkerFlags: flags,
    };
}

const scoringKey = (scoring: TestScoring | null): Pick<Judging, 'scoring'> =>
    scoring === null ? {} : { scoring };

/** How its tests are scored; null where its submissions get no scores. */
async function loadScoring(
    found: ProblemPackage,
    { settings }: PackageContent,
    { tests }: PackageTests,
    testSettings: ReadonlyMap<string, Field>,
): Promise<{ readonly scoring: TestScoring | null; readonly skip: string | null }> {
    if (settings.scoring === null) return { scoring: null, skip: null };
    const { grader, skip } = await loadGrader(found.files, settings);
    const hasTestGroups = [...testSettings.keys()].some((name) => name.endsWith('/test_group.yaml'));
    const hasTestdata = [...testSettings.keys()].some((name) => name.endsWith('/testdata.yaml'));
    const scoring = readScoring({
        tests: tests.map(({ name }) => name),
        settings: testSettings,
        ...settings.scoring,
        aggregates: hasTestGroups || (settings.modern && !hasTestdata),
        grader,
    });
    return { scoring, skip };
}

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

function judgingOf(
    content: PackageContent,
    tests: readonly TestCase[],
    checker: Judging['checker'],
): Judging {
    const { settings, timeLimit } = content;
    return {
        tests,
        checker,
        isFormatChecker: false,
        limits: { time: timeLimit, memory: settings.memory, output: settings.output },
        limitPolicy: 'own',
        ...(settings.interactive ? { interactive: true } : {}),
        computedLimit:
            timeLimit === null
                ? {
                      group: 'solution',
                      multiplier: settings.timeMultiplier,
                      atLeast: LEAST_LIMIT,
                      resolution: settings.timeResolution,
                  }
                : null,
    };
}
