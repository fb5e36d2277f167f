import type { AggregationRules, GroupItem, TestGroup, TestScoring } from '../../model/scoring.js';
import type { PolygonGroup, PolygonTestset } from './problem-xml.js';

/**
 * How the tests of a Polygon package are scored. A `complete-group` gives its points if all of its tests pass, an `each-test`
 * group the points of each test. Neither gives any if a group that it depends on has a test that did not pass.
 * @returns null if no test and no group has points: a submission passes all tests, or fails
 */
export function readPolygonScoring({ tests, groups }: PolygonTestset): TestScoring | null {
    const declared = new Map(groups.map((group) => [group.name, group]));
    const names = [...new Set(tests.map(({ group }) => group ?? ''))];
    const items = names.map((name): { readonly item: TestGroup; readonly most: number } => {
        const own = tests.flatMap((test, position) =>
            (test.group ?? '') === name ? [{ test: position, maximum: test.points }] : [],
        );
        const sum = own.reduce((total, { maximum }) => total + maximum, 0);
        const group = declared.get(name);
        const isWhole = group?.policy === 'complete-group';
        const most = isWhole ? (group.points ?? sum) : sum;
        const members: GroupItem[] = isWhole ? own.map(({ test }) => ({ test })) : own;
        const rules = buildRules(isWhole ? 'pass-fail' : 'sum', most, group);
        return { item: { name: name === '' ? 'tests' : name, items: members, rules }, most };
    });
    const best = items.reduce((total, { most }) => total + most, 0);
    if (best === 0) return null;
    const root: TestGroup = {
        name: 'data',
        items: items.map(({ item }) => ({ group: item })),
        rules: { ...buildRules('sum', best, undefined), aggregation: 'none', maximum: null },
    };
    return { root, objective: 'max', best, grader: null };
}

/**
 * If tests have no points but the checker assigns some (testlib's `quitp`), these are the tests' scores. They are added up; the
 * best possible sum is unknown.
 */
export function scoreByChecker({ tests }: PolygonTestset): TestScoring {
    const root: TestGroup = {
        name: 'data',
        items: tests.map((_, test) => ({ test })),
        rules: {
            kind: 'grader',
            stopsAtReject: false,
            acceptScore: 0,
            rejectScore: 0,
            grader: {
                kind: 'default',
                verdict: 'worst_error',
                score: 'sum',
                ignoreSample: false,
                acceptIfAnyAccepted: false,
            },
        },
    };
    return { root, objective: 'max', best: null, grader: null };
}

const buildRules = (
    aggregation: AggregationRules['aggregation'],
    maximum: number,
    group: PolygonGroup | undefined,
): AggregationRules => ({
    kind: 'aggregation',
    aggregation,
    maximum,
    testMaximum: null,
    requires: group?.dependencies ?? [],
});
