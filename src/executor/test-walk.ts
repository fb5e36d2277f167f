import type { GroupResult } from '../model/entry.js';
import {
    aggregate,
    chooseFinalResult,
    gradeByDefault,
    gradeByDomjudge,
    type GroupItem,
    type GroupRules,
    isSettled,
    type TestScoring,
    type SubResult,
    type TestGroup,
} from '../model/scoring.js';
import type { Verdict } from '../model/verdict.js';

/*
 * The order in which tests are run, and which are left out, as decided by the groups of a problem with scores. A walk requests
 * one step after the other, so that the code that runs the tests need not know the rules, and the walk needs to know nothing
 * about sandboxes.
 */

/** The next step that a walk requests. It is answered with the step's result. */
export type WalkStep =
    /** `rules`: those of its group. `counts`: whether it can still change the submission's result. */
    | {
          readonly kind: 'test';
          readonly test: number;
          readonly rules: GroupRules | null;
          readonly counts: boolean;
      }
    | { readonly kind: 'grade'; readonly flags: readonly string[]; readonly items: readonly SubResult[] };

/** The result of all tests together. */
export interface WalkResult {
    readonly verdict: Verdict;
    /** null if the problem has no scores. */
    readonly score: number | null;
    readonly groups: readonly GroupResult[];
}

export type TestWalk = Generator<WalkStep, WalkResult, SubResult>;

/** The tests of a problem without scores: in order, up to the first failed one unless all are wanted. */
export function* walkInOrder(count: number, allTests: boolean): TestWalk {
    let verdict: Verdict = 'Accepted';
    for (let test = 0; test < count; test += 1) {
        const result: SubResult = yield { kind: 'test', test, rules: null, counts: verdict === 'Accepted' };
        if (result.verdict === 'Accepted') continue;
        if (verdict === 'Accepted') verdict = result.verdict;
        if (!allTests) break;
    }
    return { verdict, score: null, groups: [] };
}

/** The tests of a problem with scores, by its groups' rules. @param allTests also run tests that no longer count */
export function* walkGroups(scoring: TestScoring, allTests: boolean): TestWalk {
    const walk = new GroupWalk(allTests);
    const result = chooseFinalResult(scoring, yield* walk.group(scoring.root, true));
    return { ...result, groups: walk.ended };
}

class GroupWalk {
    readonly ended: GroupResult[] = [];
    readonly #verdicts = new Map<string, Verdict>();

    constructor(private readonly allTests: boolean) {}

    /** @param counts false: its tests run only for the record */
    *group(group: TestGroup, counts: boolean): Generator<WalkStep, SubResult, SubResult> {
        const { name, rules, items } = group;
        const barred = counts ? this.#barredBy(rules) : null;
        if (barred !== null && !this.allTests)
            return this.#end(name, { verdict: barred, score: 0 }, { skipped: true });
        const results: SubResult[] = [];
        let isOpen = counts && barred === null;
        for (const item of items) {
            const result: SubResult = yield* this.#item(item, rules, isOpen);
            if (!isOpen) continue;
            results.push(result);
            if (!isSettled(rules, result)) continue;
            if (!this.allTests) break;
            isOpen = false;
        }
        if (!counts) return NOTHING;
        const result: SubResult =
            barred === null ? yield* grade(rules, results) : { verdict: barred, score: 0 };
        return this.#end(name, result, {});
    }

    *#item(item: GroupItem, rules: GroupRules, counts: boolean): Generator<WalkStep, SubResult, SubResult> {
        if ('group' in item) return yield* this.group(item.group, counts);
        const own =
            rules.kind === 'aggregation' && item.maximum !== undefined
                ? { ...rules, testMaximum: item.maximum }
                : rules;
        return yield { kind: 'test', test: item.test, rules: own, counts };
    }

    /** The verdict of a required group that was not accepted, so that this one is not judged; null if there is none. */
    #barredBy(rules: GroupRules): Verdict | null {
        if (rules.kind !== 'aggregation') return null;
        for (const name of rules.requires) {
            const verdict = this.#verdicts.get(name) ?? 'Accepted';
            if (verdict !== 'Accepted') return verdict;
        }
        return null;
    }

    #end(name: string, result: SubResult, more: Pick<GroupResult, 'skipped'>): SubResult {
        this.#verdicts.set(name, result.verdict);
        const score = Math.round(result.score * 1e9) / 1e9 + 0;
        this.ended.push({ name, verdict: result.verdict, score, ...more });
        return result;
    }
}

const NOTHING: SubResult = { verdict: 'Accepted', score: 0 };

function* grade(rules: GroupRules, items: readonly SubResult[]): Generator<WalkStep, SubResult, SubResult> {
    if (rules.kind === 'aggregation') return aggregate(rules, items);
    if (rules.kind === 'domjudge') return gradeByDomjudge(rules, items);
    const { grader } = rules;
    if (items.length === 0) return NOTHING;
    if (grader.kind === 'default') return gradeByDefault(grader, items);
    return yield { kind: 'grade', flags: grader.flags, items };
}
