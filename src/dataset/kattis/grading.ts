import {
    type AggregationRules,
    aggregate,
    type BuiltInGrader,
    gradeByDefault,
    type GraderProgram,
    type GraderRules,
    type GroupItem,
    type GroupRules,
    type TestScoring,
    scoreTest,
    type SubResult,
    type TestGroup,
} from '../../model/scoring.js';
import type { Field } from '../field.js';
import { splitFlags } from './flags.js';
import { readNumber, readRange } from './score-values.js';

/*
 * How a package with scores groups its tests. Legacy packages: every folder of data/ is a group, graded by a grader according to
 * testdata.yaml, which inherits missing keys from the folder above. 2025-09: data/sample, data/secret and the folders of
 * data/secret with a test_group.yaml are groups.
 */

/** What the scoring is determined from. */
export interface ScoringSource {
    /** The tests in order. `maximum` is for tests of the static validator; null if they have no score. */
    readonly tests: readonly { readonly name: string; readonly maximum?: number | null }[];
    /** Content of testdata.yaml and test_group.yaml files by file name. */
    readonly settings: ReadonlyMap<string, Field>;
    /** `grading` of problem.yaml. */
    readonly grading: Field;
    /** Whether test_group.yaml decides. */
    readonly aggregates: boolean;
    /** Whether validators may assign scores. */
    readonly validatorScores: boolean;
    readonly grader: GraderProgram | null;
}

/** @throws UserError naming the invalid key */
export function readScoring(source: ScoringSource): TestScoring {
    const root = source.aggregates ? modernRoot(source) : legacyRoot(source);
    const objective = source.grading.get('objective').optionalString() === 'min' ? 'min' : 'max';
    return { root, objective, best: bestScore(source, root, objective), grader: source.grader };
}

interface NumberedTest {
    readonly name: string;
    readonly test: number;
    readonly maximum?: number | null;
}

const numbered = (tests: ScoringSource['tests']): NumberedTest[] =>
    tests.map((each, test) => ({ ...each, test }));

function testItem({ test, maximum }: NumberedTest): GroupItem {
    return maximum === undefined || maximum === null ? { test } : { test, maximum };
}

/** Tests below a folder in order, by the name of the folder's direct child that holds them. */
function* listChildren(
    tests: readonly NumberedTest[],
    depth: number,
): Generator<{ name: string; leaf: GroupItem | null; tests: NumberedTest[] }> {
    let group: { name: string; tests: NumberedTest[] } | null = null;
    for (const each of tests) {
        const parts = each.name.split('/');
        const name = parts.slice(0, depth + 1).join('/');
        if (group !== null && group.name !== name) {
            yield { ...group, leaf: null };
            group = null;
        }
        if (parts.length === depth + 1) yield { name, leaf: testItem(each), tests: [each] };
        else if (group === null) group = { name, tests: [each] };
        else group.tests.push(each);
    }
    if (group !== null) yield { ...group, leaf: null };
}

/** Effective keys of testdata.yaml for a group: its own, or those of the folder above. */
type LegacyKeys = ReadonlyMap<string, Field>;

const LEGACY_KEYS = [
    'on_reject',
    'grading',
    'grader_flags',
    'accept_score',
    'reject_score',
    'range',
] as const;

function legacyRoot({ tests, settings, grading }: ScoringSource): TestGroup {
    return legacyGroup('data', numbered(tests), 0, { settings, above: new Map(), problem: grading });
}

interface LegacyContext {
    readonly settings: ReadonlyMap<string, Field>;
    readonly above: LegacyKeys;
    /** Older packages keep settings for all groups there. */
    readonly problem: Field;
}

function legacyGroup(
    name: string,
    tests: readonly NumberedTest[],
    depth: number,
    context: LegacyContext,
): TestGroup {
    const folder = depth === 0 ? 'data' : `data/${name}`;
    const keys = new Map(context.above);
    const own = context.settings.get(`${folder}/testdata.yaml`);
    for (const key of LEGACY_KEYS) {
        const field = own?.get(key);
        if (field?.present === true) keys.set(key, field);
    }
    const items = [...listChildren(tests, depth)].map(
        (child): GroupItem =>
            child.leaf === null
                ? { group: legacyGroup(child.name, child.tests, depth + 1, { ...context, above: keys }) }
                : child.leaf,
    );
    return { name, items, rules: graderRules(keys, context.problem) };
}

function graderRules(keys: LegacyKeys, problem: Field): GraderRules {
    const number = (key: 'accept_score' | 'reject_score', otherwise: number): number => {
        const field = problem.get(key).present ? problem.get(key) : keys.get(key);
        return field?.present === true ? readNumber(field) : otherwise;
    };
    const flags = flagsIn(keys.get('grader_flags'));
    return {
        kind: 'grader',
        stopsAtReject: stopsAtReject(keys.get('on_reject'), problem.get('on_reject')),
        acceptScore: number('accept_score', 1),
        rejectScore: number('reject_score', 0),
        grader:
            keys.get('grading')?.optionalString() === 'custom'
                ? { kind: 'custom', flags }
                : builtInGrader(flags),
    };
}

function stopsAtReject(own: Field | undefined, problem: Field): boolean {
    if (problem.present) {
        const word = problem.string();
        if (word === 'first_error') return true;
        if (word === 'grade') return false;
    }
    return own === undefined || !own.present || own.string() !== 'continue';
}

function builtInGrader(flags: readonly string[]): BuiltInGrader {
    let grader: BuiltInGrader = {
        kind: 'default',
        verdict: 'worst_error',
        score: 'sum',
        ignoreSample: flags.includes('ignore_sample'),
        acceptIfAnyAccepted: flags.includes('accept_if_any_accepted'),
    };
    for (const flag of flags) {
        switch (flag) {
            case 'worst_error':
            case 'first_error':
            case 'always_accept':
                grader = { ...grader, verdict: flag };
                break;
            case 'no_errors':
                grader = { ...grader, verdict: 'worst_error' };
                break;
            case 'sum':
            case 'avg':
            case 'min':
            case 'max':
                grader = { ...grader, score: flag };
                break;
            default:
                break;
        }
    }
    return grader;
}

function flagsIn(field: Field | undefined): readonly string[] {
    if (field === undefined || !field.present) return [];
    return Array.isArray(field.value) ? field.strings() : splitFlags(field.string());
}

function modernRoot({ tests, settings }: ScoringSource): TestGroup {
    const of = (folder: string): NumberedTest[] =>
        numbered(tests).filter(({ name }) => name.startsWith(`${folder}/`));
    const [sample, secret] = [of('sample'), of('secret')];
    const items: GroupItem[] = [];
    if (sample.length > 0) items.push({ group: leafGroup('sample', sample, { ...NO_RULES, requires: [] }) });
    items.push({ group: secretGroup(secret, settings) });
    return { name: 'data', items, rules: NO_RULES };
}

const NO_RULES: AggregationRules = {
    kind: 'aggregation',
    aggregation: 'none',
    maximum: null,
    testMaximum: null,
    requires: [],
};

function leafGroup(name: string, tests: readonly NumberedTest[], rules: GroupRules): TestGroup {
    return { name, items: tests.map(testItem), rules };
}

function secretGroup(tests: readonly NumberedTest[], settings: ReadonlyMap<string, Field>): TestGroup {
    const folders = [...listChildren(tests, 1)];
    const readGroupYaml = (name: string): Field | undefined => settings.get(`data/${name}/test_group.yaml`);
    const isGrouped = folders.some(({ leaf, name }) => leaf === null && readGroupYaml(name) !== undefined);
    const rules = aggregationRules(readGroupYaml('secret'), { maximum: 100, aggregation: 'sum' });
    if (!isGrouped) return leafGroup('secret', tests, withTestMaximum(rules, tests));
    const items = folders.map(({ name, leaf, tests: own }): GroupItem => {
        if (leaf !== null) return leaf;
        const group = aggregationRules(readGroupYaml(name), { maximum: null, aggregation: 'pass-fail' });
        return { group: leafGroup(name, own, withTestMaximum(group, own)) };
    });
    return { name: 'secret', items, rules };
}

function aggregationRules(
    yaml: Field | undefined,
    defaults: Pick<AggregationRules, 'maximum' | 'aggregation'>,
): AggregationRules {
    const maximum = yaml?.get('max_score');
    const aggregation = yaml?.get('score_aggregation');
    return {
        kind: 'aggregation',
        aggregation: aggregation?.present === true ? aggregationIn(aggregation) : defaults.aggregation,
        maximum:
            maximum?.present === true
                ? maximum.value === 'unbounded'
                    ? null
                    : readNumber(maximum)
                : defaults.maximum,
        testMaximum: null,
        requires: requiredGroups(yaml?.get('require_pass')),
    };
}

function aggregationIn(field: Field): AggregationRules['aggregation'] {
    const word = field.string();
    return word === 'pass-fail' || word === 'sum' || word === 'min'
        ? word
        : field.fail('one of pass-fail, sum, min');
}

function requiredGroups(field: Field | undefined): readonly string[] {
    if (field === undefined || !field.present) return [];
    const names = Array.isArray(field.value) ? field.strings() : [field.string()];
    return names.map((name) => (/^(sample|secret)(\/|$)/.test(name) ? name : `secret/${name}`));
}

/** The static validator's test keeps its own maximum, which is not shared among the other tests. */
const withTestMaximum = (rules: AggregationRules, tests: readonly NumberedTest[]): AggregationRules => ({
    ...rules,
    testMaximum:
        rules.maximum === null || rules.aggregation === 'pass-fail'
            ? null
            : rules.aggregation === 'sum'
              ? (rules.maximum - tests.reduce((sum, { maximum }) => sum + (maximum ?? 0), 0)) /
                Math.max(1, tests.filter(({ maximum }) => maximum === undefined).length)
              : rules.maximum,
});

/**
 * The best score of a submission: if only the rules assign scores, the score for passing every test; if validators do, the end of
 * the range that the package gives.
 */
function bestScore(source: ScoringSource, root: TestGroup, objective: 'max' | 'min'): number | null {
    if (source.aggregates) {
        const secret = root.items.at(-1);
        return secret !== undefined && 'group' in secret && secret.group.rules.kind === 'aggregation'
            ? secret.group.rules.maximum
            : null;
    }
    if (!source.validatorScores && objective === 'max') {
        const result = findBestScore(root);
        if (result !== null) return result.score;
    }
    return rangeEnd(source, objective);
}

/** The result of a group if every test passes; null if a program decides. */
function findBestScore({ items, rules }: TestGroup): SubResult | null {
    const results: SubResult[] = [];
    for (const item of items) {
        const result: SubResult | null =
            'group' in item
                ? findBestScore(item.group)
                : { verdict: 'Accepted', score: scoreTest(rules, true, null) ?? 0 };
        if (result === null) return null;
        results.push(result);
    }
    if (rules.kind === 'aggregation') return aggregate(rules, results);
    return rules.kind === 'grader' && rules.grader.kind === 'default'
        ? gradeByDefault(rules.grader, results)
        : null;
}

/** The range's end, from problem.yaml or data/testdata.yaml. */
function rangeEnd({ grading, settings }: ScoringSource, objective: 'max' | 'min'): number | null {
    const own = settings.get('data/testdata.yaml')?.get('range');
    const ends = readRange(grading.get('range').present ? grading.get('range') : own);
    return ends?.[objective === 'max' ? 1 : 0] ?? null;
}
