import {
    combineScores,
    type DomjudgeRules,
    type ScoreMode,
    type TestGroup,
    type TestScoring,
} from '../../model/scoring.js';
import type { Field } from '../field.js';
import { readFlags } from './flags.js';
import { readNumber, readRange } from './score-values.js';

/*
 * How DOMjudge scores a package with testdata.yaml. It differs from the legacy format in all of these:
 *
 *   a folder is a group if it has a testdata.yaml, whose missing keys are not inherited from the folder above
 *   a group of tests scores its accept_score once, not for each test
 *   tests outside groups, usually the samples, score nothing
 *   a submission that is not accepted keeps its score
 *
 * Source: ImportProblemService and SubmissionService of DOMjudge 9, and its example_scoring_problems.
 */

const SCORE_MODES: readonly ScoreMode[] = ['sum', 'avg', 'min', 'max'];

/**
 * Groups of a package that DOMjudge scores; null if it would score nothing because there is no testdata.yaml in data/ or below.
 * @throws UserError naming the invalid key
 */
export function readDomjudgeScoring(
    tests: readonly string[],
    settings: ReadonlyMap<string, Field>,
): TestScoring | null {
    if (!settings.has('data/testdata.yaml')) return null;
    const root = readGroup('data', tests, settings);
    if (root.items.length === 0) return null;
    return { root, objective: 'max', best: findBest(root), grader: null };
}

function readGroup(
    folder: string,
    tests: readonly string[],
    settings: ReadonlyMap<string, Field>,
): TestGroup {
    const yaml = settings.get(`${folder}/testdata.yaml`);
    const flags = yaml === undefined ? [] : (readFlags(yaml.get('grader_flags')) ?? []);
    const skipsSamples = flags.includes('ignore_sample');
    const below = [...settings.keys()]
        .filter((name) => name.endsWith('/testdata.yaml'))
        .map((name) => name.slice(0, name.lastIndexOf('/')))
        .filter((name) => name.startsWith(`${folder}/`) && !name.slice(folder.length + 1).includes('/'))
        .filter((name) => !(skipsSamples && name === 'data/sample'))
        .sort();
    const own = tests.flatMap((name, test) =>
        `data/${name}`.slice(0, `data/${name}`.lastIndexOf('/')) === folder ? [{ test }] : [],
    );
    return {
        name: folder === 'data' ? 'data' : folder.slice('data/'.length),
        items: below.length === 0 ? own : below.map((name) => ({ group: readGroup(name, tests, settings) })),
        rules: readRules(yaml, flags),
    };
}

function readRules(yaml: Field | undefined, flags: readonly string[]): DomjudgeRules {
    const onReject = yaml?.get('on_reject');
    const acceptScore = yaml?.get('accept_score');
    return {
        kind: 'domjudge',
        stopsAtReject: onReject?.present !== true || onReject.string() !== 'continue',
        acceptScore: acceptScore?.present === true ? readNumber(acceptScore) : null,
        maximum: readRange(yaml?.get('range'))?.[1] ?? null,
        score: flags.flatMap((flag) => SCORE_MODES.filter((mode) => mode === flag)).at(-1) ?? 'sum',
    };
}

/** The score of a submission that passes every test; null if a validator decides without bounds. */
function findBest({ items, rules }: TestGroup): number | null {
    if (rules.kind !== 'domjudge' || items.length === 0) return 0;
    const groups = items.flatMap((item) => ('group' in item ? [findBest(item.group)] : []));
    if (groups.length === 0) return rules.acceptScore ?? rules.maximum;
    const scores = groups.filter((score) => score !== null);
    return scores.length < groups.length ? null : combineScores(rules.score, scores);
}
