import type { Judging, ProgramInput } from './sample.js';

/** What a problem may need from an executor besides running a program on a test's input. */
export const PROBLEM_FEATURES = [
    'interactive',
    'multi-pass',
    'program arguments',
    'input files',
    'static validation',
    'named files',
    'answers',
] as const;

export type ProblemFeature = (typeof PROBLEM_FEATURES)[number];

/** What judging a submission to a problem requires, in the order in which messages list it. */
export function listFeatures(
    { interactive, passes, staticValidator, namedFiles, tests }: Judging,
    { language }: ProgramInput,
): ProblemFeature[] {
    const features: ProblemFeature[] = [];
    if (interactive === true) features.push('interactive');
    if (passes !== undefined) features.push('multi-pass');
    if (tests.some(({ args }) => args !== undefined)) features.push('program arguments');
    if (tests.some(({ files }) => files !== undefined)) features.push('input files');
    if (staticValidator !== undefined) features.push('static validation');
    if (namedFiles !== undefined) features.push('named files');
    if (language === 'ANSWERS') features.push('answers');
    return features;
}

/** Problems that need a feature, in words. */
export function describeFeature(feature: ProblemFeature): string {
    switch (feature) {
        case 'interactive':
        case 'multi-pass':
            return `${feature} problems`;
        case 'answers':
            return 'submissions that are answers';
        case 'named files':
            return 'programs that use named files';
        case 'program arguments':
        case 'input files':
        case 'static validation':
            return `problems with ${feature}`;
    }
}
