import type { Judging, Sample, TaskInput, TestCase } from '../../model/sample.js';
import type { Field } from '../field.js';
import { fileContent } from '../file-content.js';
import { type PackageContent, type ProblemPackage, readPackage } from './package.js';
import { loadSubmission } from './submissions.js';
import { collectTests, type PackageTest, testSettingsFiles } from './tests.js';
import { loadChecker } from './validators.js';
import { readYamlFile } from './yaml-file.js';

/** Least limit that is computed, in seconds: start-up of interpreters must not decide. */
const LEAST_LIMIT = 1;

/** The sample that a package is, with everything hashed. */
export async function loadPackage(found: ProblemPackage, id: string): Promise<Sample> {
    const content = await readPackage(found);
    const tests = collectTests(found.files, await readTestSettings(found));
    const { checker, skip } = await loadChecker(found.files, content.settings);
    const reason =
        content.settings.skip ??
        (found.files.some((file) => file.name.startsWith('static_validator/'))
            ? 'its static validation is not supported'
            : null) ??
        tests.skip ??
        skip;
    const cases: TestCase[] = [];
    if (reason === null) for (const test of tests.tests) cases.push(await loadTest(test));
    return {
        id,
        origin: found.place,
        groups: await loadGroups(content),
        judging: judgingOf(content, cases, checker),
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

async function loadGroups(content: PackageContent): Promise<Sample['groups']> {
    const groups: Record<'solution' | 'incorrect_solution', TaskInput[]> = {
        solution: [],
        incorrect_solution: [],
    };
    for (const submission of content.submissions) {
        groups[submission.group].push(await loadSubmission(submission, content.settings));
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
