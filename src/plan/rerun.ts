import picomatch from 'picomatch';
import type { Entry, JudgeResult } from '../model/entry.js';
import { isUnexpected } from '../model/expectation.js';
import type { RerunRequest } from '../model/rerun.js';
import { chooseExpected } from '../model/sample.js';
import { findMissedScore } from '../model/scoring.js';
import { isVerdict } from '../model/verdict.js';
import { type Limits, findExceededLimit } from '../model/limits.js';

/**
 * What `--rerun` requested, and when. An entry is due while its last attempt is older than the request, so a re-run that was
 * killed can resume.
 */
export interface Rerun {
    readonly what: RerunRequest;
    /** ISO 8601, UTC. */
    readonly at: string;
    /** Id patterns of the request (`--only` of that start); empty: all samples. */
    readonly only: readonly string[];
}

/** The group of an entry. */
interface EntryPlace {
    readonly id: string;
    readonly group: string;
    /** True if the sample's limit is computed from this group. */
    readonly isMeasured?: boolean;
}

/** Whether one of the requests covers this finished entry, given the current limits. */
export function isAskedFor(
    requests: readonly Rerun[],
    { id, group, isMeasured }: EntryPlace,
    entry: Pick<Entry, 'result' | 'limits' | 'attempts' | 'expected' | 'expected_scores'>,
    limits: Limits | null,
): boolean {
    const last = entry.attempts.at(-1)?.started_at ?? '';
    return requests.some(
        (request) =>
            last < request.at &&
            isConcernedBy(request, id) &&
            asksFor(
                request.what,
                { id, group, ...(isMeasured === undefined ? {} : { isMeasured }) },
                entry,
                limits,
            ),
    );
}

const isConcernedBy = ({ only }: Rerun, id: string): boolean =>
    only.length === 0 || only.some((pattern) => matchesId(pattern, id));

/**
 * Whether a sample's computed limit must be measured again, because it is older than a request for that. @param computedAt ISO
 * 8601, UTC
 */
export function isMeasurementAskedFor(requests: readonly Rerun[], id: string, computedAt: string): boolean {
    return requests.some(
        (request) =>
            request.what === 'computed-limits' && computedAt < request.at && isConcernedBy(request, id),
    );
}

/** Cache of compiled patterns: there are few patterns and many ids. */
const matchers = new Map<string, (id: string) => boolean>();

/**
 * Matches like `--only`: a glob in which `*` does not cross `/`. A pattern equal to the id always matches, even if it contains
 * special characters.
 */
export function matchesId(pattern: string, id: string): boolean {
    if (pattern === id) return true;
    let matches = matchers.get(pattern);
    if (matches === undefined) {
        matches = picomatch(pattern, { dot: true });
        matchers.set(pattern, matches);
    }
    return matches(id);
}

function asksFor(
    what: RerunRequest,
    { id, group, isMeasured }: EntryPlace,
    entry: Pick<Entry, 'result' | 'limits' | 'expected' | 'expected_scores'>,
    limits: Limits | null,
): boolean {
    switch (what) {
        case 'all':
            return true;
        case 'changed':
            return false;
        case 'failed':
            return isUnexpectedEntry(group, entry);
        case 'tle':
            return entry.result['verdict'] === 'TimeLimitExceeded';
        case 'compile-errors':
            return entry.result['verdict'] === 'CompileError';
        case 'over-limit':
            return limits !== null && hasUsedMore(entry.result as JudgeResult, limits);
        case 'computed-limits':
            // In the sample's other groups, select what a lower limit would have stopped. The planner itself handles a higher
            // limit.
            if (isMeasured === undefined) return false;
            return isMeasured || (limits !== null && hasUsedMore(entry.result as JudgeResult, limits));
        default:
            return matchesId(what.glob, id);
    }
}

/**
 * Whether a verdict is unexpected: a rejected solution, or an accepted program that was expected to fail. If nothing is expected:
 * whether it was not accepted.
 */
function isUnexpectedEntry(
    group: string,
    entry: Pick<Entry, 'result' | 'expected' | 'expected_scores'>,
): boolean {
    const named = entry.expected ?? null;
    const verdict = entry.result['verdict'];
    if (chooseExpected(group, named) === null || !isVerdict(verdict))
        return entry.result['accepted'] !== true;
    const missedScore = findMissedScore(entry.expected_scores, entry.result);
    return isUnexpected({ group, verdict, named, missedScore });
}

/** Whether a test of the entry used more than a current limit allows, or exceeded the output limit. */
function hasUsedMore(result: JudgeResult, limits: Limits): boolean {
    const tests = Array.isArray(result.tests) ? result.tests : [];
    return tests.some(
        (test) =>
            (test.cpu_time ?? 0) > limits.time ||
            (test.memory ?? 0) > (limits.memory ?? Number.POSITIVE_INFINITY) ||
            (test.verdict !== undefined && findExceededLimit(test.verdict) === 'output'),
    );
}
