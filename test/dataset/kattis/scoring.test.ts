import { describe, expect, it } from 'vitest';
import { walkGroups } from '../../../src/executor/test-walk.js';
import { fingerprintSample } from '../../../src/model/fingerprint.js';
import type { Sample } from '../../../src/model/sample.js';
import { countGroupTests, type GivenScore, scoreTest } from '../../../src/model/scoring.js';
import type { Verdict } from '../../../src/model/verdict.js';
import { folderWith, loadAll, openOne } from '../rig.js';

const SUM = 'print(sum(map(int, input().split())))\n';

/** A package with tests of these names, each with an answer. */
async function loadScored(
    tests: readonly string[],
    files: Readonly<Record<string, string>>,
): Promise<Sample> {
    const data = tests.flatMap((name) => [
        [`data/${name}.in`, `${name}\n`],
        [`data/${name}.ans`, '1\n'],
    ]);
    const folder = await folderWith({
        'problem.yaml': 'name: Sum\ntype: scoring\n',
        'submissions/accepted/sum.py': SUM,
        ...Object.fromEntries(data),
        ...files,
    });
    const [sample] = await loadAll(await openOne(folder));
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

/** The result of judging when the named tests fail or get scores, and the tests that ran, in order. */
function judge(sample: Sample, ended: Readonly<Record<string, Verdict | GivenScore>> = {}, allTests = false) {
    const { scoring, tests = [] } = sample.judging ?? {};
    if (scoring === undefined) throw new Error('no scoring');
    const walk = walkGroups(scoring, allTests);
    const ran: string[] = [];
    let step = walk.next();
    while (step.done !== true) {
        if (step.value.kind === 'grade') {
            step = walk.next({ verdict: 'Accepted', score: step.value.items.length });
            continue;
        }
        const { test, rules } = step.value;
        const name = tests[test]?.name ?? '';
        ran.push(name);
        const end = ended[name];
        const given = typeof end === 'object' ? end : null;
        const verdict = typeof end === 'string' ? end : 'Accepted';
        if (rules === null) throw new Error('no rules');
        const score = scoreTest(rules, verdict === 'Accepted', given);
        step = walk.next(score === null ? { verdict, score: 0, isUnscored: true } : { verdict, score });
    }
    return { ...step.value, ran };
}

const OLYMPIAD = {
    'data/testdata.yaml': 'on_reject: continue\nrange: 0 100\ngrader_flags: ignore_sample\n',
    'data/sample/testdata.yaml': 'on_reject: continue\naccept_score: 0\ngrader_flags: first_error\n',
    'data/secret/testdata.yaml': 'grader_flags: first_error accept_if_any_accepted\n',
    'data/secret/group1/testdata.yaml': 'on_reject: break\naccept_score: 30\ngrader_flags: min\n',
    'data/secret/group2/testdata.yaml': 'on_reject: break\naccept_score: 70\ngrader_flags: min\n',
};
const OLYMPIAD_TESTS = [
    'sample/1',
    'secret/group1/1',
    'secret/group1/2',
    'secret/group2/1',
    'secret/group2/2',
    'secret/group2/3',
];

/** Two groups of two tests, as in DOMjudge's examples. */
const FOR_DOMJUDGE = {
    'submissions/accepted/sum.py': `# @EXPECTED_SCORE@: 30\n${SUM}`,
    'data/testdata.yaml': 'on_reject: continue\ngrader_flags: sum\n',
    'data/secret/testdata.yaml': 'on_reject: continue\ngrader_flags: sum\n',
    'data/secret/large/testdata.yaml': 'accept_score: 20\n',
    'data/secret/small/testdata.yaml': 'accept_score: 10\n',
};
const DOMJUDGE_TESTS = ['sample/1', 'secret/large/1', 'secret/large/2', 'secret/small/1', 'secret/small/2'];

describe('a legacy package made for DOMjudge', () => {
    it('scores a group once, its samples not at all, and keeps the score of what is not accepted', async () => {
        const sample = await loadScored(DOMJUDGE_TESTS, FOR_DOMJUDGE);
        expect(sample.judging?.scoring?.best).toBe(30);
        expect(judge(sample)).toMatchObject({ verdict: 'Accepted', score: 30, ran: DOMJUDGE_TESTS.slice(1) });
        // Planning must not wait for a test that is never run.
        const root = sample.judging?.scoring?.root;
        expect(root === undefined ? null : countGroupTests(root)).toBe(DOMJUDGE_TESTS.length - 1);
        expect(judge(sample, { 'secret/large/1': 'TimeLimitExceeded' })).toMatchObject({
            verdict: 'TimeLimitExceeded',
            score: 10,
            ran: ['secret/large/1', 'secret/small/1', 'secret/small/2'],
        });
    });

    it('is known by its domjudge-problem.ini too; a package of neither sign is scored by the legacy rules', async () => {
        const files = { ...FOR_DOMJUDGE, 'submissions/accepted/sum.py': SUM };
        const marked = await loadScored(DOMJUDGE_TESTS, {
            ...files,
            'domjudge-problem.ini': 'timelimit=1\n',
        });
        expect(judge(marked)).toMatchObject({ score: 30 });
        expect(judge(await loadScored(DOMJUDGE_TESTS, files))).toMatchObject({ score: 61 });
    });

    it('takes what its validator writes, for wrong answers too', async () => {
        const sample = await loadScored(['secret/main/1', 'secret/main/2'], {
            'domjudge-problem.ini': 'timelimit=1\n',
            'data/testdata.yaml': 'on_reject: continue\n',
            'data/secret/testdata.yaml': 'on_reject: continue\n',
            'data/secret/main/testdata.yaml': 'on_reject: continue\nrange: 0 100\ngrader_flags: max\n',
        });
        expect(sample.judging?.scoring?.best).toBe(100);
        expect(judge(sample, { 'secret/main/1': { points: 40.5 } })).toMatchObject({
            verdict: 'PartiallyAccepted',
            score: 40.5,
        });
        const rules = sample.judging?.scoring?.root.rules;
        expect(rules && scoreTest(rules, false, { points: 7 })).toBe(7);
    });

    it.each([
        ['avg', 15],
        ['min', 10],
        ['max', 20],
    ])('combines its groups by %s', async (flag, score) => {
        const sample = await loadScored(DOMJUDGE_TESTS, {
            ...FOR_DOMJUDGE,
            'data/secret/testdata.yaml': `on_reject: continue\ngrader_flags: ${flag}\n`,
        });
        expect(judge(sample)).toMatchObject({ verdict: 'Accepted', score });
    });

    it('ends a group without on_reject: continue at its first failure', async () => {
        const sample = await loadScored(DOMJUDGE_TESTS, {
            ...FOR_DOMJUDGE,
            'data/secret/testdata.yaml': 'grader_flags: sum\n',
        });
        expect(judge(sample, { 'secret/large/2': 'WrongAnswer' })).toMatchObject({
            verdict: 'WrongAnswer',
            score: 0,
            ran: ['secret/large/1', 'secret/large/2'],
        });
    });

    it('has a fingerprint of its own', async () => {
        const sample = await loadScored(DOMJUDGE_TESTS, FOR_DOMJUDGE);
        expect(fingerprintSample(sample, '')['solution']).toEqual([
            'v1-sha256-77b83782879ecf9d8c697830921cdc740bced0d186c59192769d7aadba645dbf',
        ]);
    });
});

describe('a legacy package with scores', () => {
    it('gives the best score to a submission that passes every test', async () => {
        const sample = await loadScored(OLYMPIAD_TESTS, OLYMPIAD);
        expect(sample.skip).toBeNull();
        expect(sample.judging?.scoring?.best).toBe(100);
        expect(judge(sample)).toMatchObject({ verdict: 'Accepted', score: 100, ran: OLYMPIAD_TESTS });
    });

    it('leaves a group at its first failure, goes on with the next one, and accepts in part', async () => {
        const sample = await loadScored(OLYMPIAD_TESTS, OLYMPIAD);
        const result = judge(sample, { 'secret/group2/1': 'TimeLimitExceeded' });
        expect(result).toMatchObject({ verdict: 'PartiallyAccepted', score: 30 });
        expect(result.ran).toEqual(OLYMPIAD_TESTS.slice(0, 4));
        expect(result.groups).toContainEqual({
            name: 'secret/group2',
            verdict: 'TimeLimitExceeded',
            score: 0,
        });
    });

    it('gives the same result when all tests are run', async () => {
        const sample = await loadScored(OLYMPIAD_TESTS, OLYMPIAD);
        const ended = { 'secret/group1/1': 'WrongAnswer', 'secret/group2/3': 'RuntimeError' } as const;
        const [some, all] = [judge(sample, ended), judge(sample, ended, true)];
        expect(all.ran).toEqual(OLYMPIAD_TESTS);
        expect({ ...all, ran: [] }).toEqual({ ...some, ran: [] });
        expect(all).toMatchObject({ verdict: 'WrongAnswer', score: 0 });
    });

    it('stops at the samples unless testdata.yaml says otherwise', async () => {
        const sample = await loadScored(['sample/1', 'secret/1'], {});
        expect(judge(sample, { 'sample/1': 'WrongAnswer' })).toMatchObject({
            verdict: 'WrongAnswer',
            score: 0,
            ran: ['sample/1'],
        });
        expect(judge(sample)).toMatchObject({ verdict: 'Accepted', score: 2 });
    });

    it.each([
        ['sum', 'WrongAnswer', 0],
        ['always_accept sum', 'PartiallyAccepted', 7],
        ['always_accept max', 'Accepted', 5],
        ['always_accept min', 'PartiallyAccepted', 2],
        ['always_accept avg', 'PartiallyAccepted', 3.5],
        ['accept_if_any_accepted worst_error', 'PartiallyAccepted', 7],
    ])('grades by %s', async (flags, verdict, score) => {
        const sample = await loadScored(['secret/1', 'secret/2'], {
            'data/testdata.yaml': `on_reject: continue\ngrader_flags: ${flags}\naccept_score: 5\nreject_score: 2\n`,
        });
        expect(judge(sample, { 'secret/2': 'WrongAnswer' })).toMatchObject({ verdict, score });
    });

    it('takes scores of validators, and the best one from the range', async () => {
        const sample = await loadScored(['secret/1', 'secret/2'], {
            'problem.yaml': 'type: scoring\nvalidation: custom score\n',
            'output_validators/check.py': 'import sys\nsys.exit(42)\n',
            'data/testdata.yaml': 'range: 0 10\n',
        });
        const result = judge(sample, { 'secret/1': { points: 2.5 }, 'secret/2': { points: 4 } });
        expect(result).toMatchObject({ verdict: 'PartiallyAccepted', score: 6.5 });
        expect(judge(sample, { 'secret/1': { points: 9 } })).toMatchObject({
            verdict: 'Accepted',
            score: 10,
        });
        // The end of that range may be out of reach for every program.
        expect(sample.groups['solution']).toMatchObject([{ expected: ['Accepted', 'PartiallyAccepted'] }]);
    });

    it('asks its own grader where a group wants it', async () => {
        const sample = await loadScored(['secret/1', 'secret/2'], {
            'data/secret/testdata.yaml': 'grading: custom\ngrader_flags: --strict 3\n',
            'graders/grade.py': 'print("AC 1")\n',
        });
        expect(sample.skip).toBeNull();
        expect(sample.judging?.scoring?.grader?.language).toBe('PYTHON3');
        expect(judge(sample)).toMatchObject({ verdict: 'Accepted', score: 2 });
    });

    it('expects of submissions what their folders and comments say', async () => {
        const sample = await loadScored(OLYMPIAD_TESTS, {
            ...OLYMPIAD,
            'submissions/partially_accepted/part.py': SUM,
            'submissions/partially_accepted/scored.py': `# @EXPECTED_SCORE@: 30\n${SUM}`,
            'submissions/wrong_answer/wrong.py': SUM,
        });
        const expected = Object.values(sample.groups)
            .flat()
            .map((task) => (task.kind === 'program' ? [task.name, task.expected, task.expectedScores] : []));
        expect(expected).toEqual([
            // As in problemtools: a program below the best score is accepted, with a note.
            ['submissions/accepted/sum.py', ['Accepted', 'PartiallyAccepted'], undefined],
            ['submissions/partially_accepted/part.py', ['PartiallyAccepted'], undefined],
            [
                'submissions/partially_accepted/scored.py',
                expect.arrayContaining(['PartiallyAccepted', 'WrongAnswer']),
                [{ min: 30, max: 30 }],
            ],
            ['submissions/wrong_answer/wrong.py', ['WrongAnswer'], undefined],
        ]);
    });
});

const MODERN = {
    'problem.yaml': "problem_format_version: '2025-09'\nname: Sum\ntype: scoring\n",
    'data/secret/a/test_group.yaml': 'max_score: 20\n',
    'data/secret/b/test_group.yaml': 'max_score: 50\nscore_aggregation: sum\nrequire_pass: secret/a\n',
    'data/secret/c/test_group.yaml': 'max_score: 30\nscore_aggregation: min\n',
};
const MODERN_TESTS = [
    'sample/1',
    'secret/a/1',
    'secret/a/2',
    'secret/b/1',
    'secret/b/2',
    'secret/c/1',
    'secret/c/2',
];

describe('a package of 2025-09 with scores', () => {
    it.each([
        ['every test passed', {}, 'Accepted', 100],
        ['a failed test of a sum', { 'secret/b/1': 'WrongAnswer' }, 'WrongAnswer', 75],
        ['a failed minimum', { 'secret/c/2': 'TimeLimitExceeded' }, 'TimeLimitExceeded', 70],
        [
            'shares of what tests can score',
            { 'secret/b/1': { share: 0.5 }, 'secret/c/1': { share: 0.1 } },
            'PartiallyAccepted',
            60.5,
        ],
        ['points', { 'secret/c/1': { points: 12 } }, 'PartiallyAccepted', 82],
    ] as const)('scores %s', async (_, ended, verdict, score) => {
        const sample = await loadScored(MODERN_TESTS, MODERN);
        expect(sample.judging?.scoring?.best).toBe(100);
        expect(judge(sample, ended)).toMatchObject({ verdict, score });
    });

    it('accepts less than the best score of what states none', async () => {
        const sample = await loadScored(MODERN_TESTS, {
            ...MODERN,
            'submissions/accepted/full.py': SUM,
            'submissions/wrong_answer/wrong.py': SUM,
            'submissions/submissions.yaml': 'accepted/full.py:\n  score: 100\n',
        });
        const expected = Object.values(sample.groups)
            .flat()
            .map((task) => (task.kind === 'program' ? [task.name, task.expected] : []));
        expect(expected).toEqual([
            ['submissions/accepted/full.py', ['Accepted']],
            ['submissions/accepted/sum.py', ['Accepted', 'PartiallyAccepted']],
            ['submissions/wrong_answer/wrong.py', ['WrongAnswer']],
        ]);
    });

    it('does not judge a group whose requirement failed', async () => {
        const sample = await loadScored(MODERN_TESTS, MODERN);
        const result = judge(sample, { 'secret/a/1': 'WrongAnswer' });
        expect(result).toMatchObject({ verdict: 'WrongAnswer', score: 30 });
        expect(result.ran).toEqual(['sample/1', 'secret/a/1', 'secret/c/1', 'secret/c/2']);
        expect(result.groups).toContainEqual({
            name: 'secret/b',
            verdict: 'WrongAnswer',
            score: 0,
            skipped: true,
        });
        const all = judge(sample, { 'secret/a/1': 'WrongAnswer' }, true);
        expect(all).toMatchObject({ score: 30, ran: MODERN_TESTS });
    });

    it('gives the source a test of its own, which takes its part of the score', async () => {
        const sample = await loadScored(['secret/b/1', 'secret/b/2'], {
            ...MODERN,
            'data/secret/b/test_group.yaml':
                'max_score: 100\nscore_aggregation: sum\nstatic_validation_score: 40\n',
            'static_validator/check.py': '',
        });
        expect(sample.skip).toBeNull();
        expect(judge(sample)).toMatchObject({
            verdict: 'Accepted',
            score: 100,
            ran: ['secret/b/(source)', 'secret/b/1', 'secret/b/2'],
        });
        expect(judge(sample, { 'secret/b/(source)': { share: 0.5 } })).toMatchObject({ score: 80 });
        expect(judge(sample, { 'secret/b/1': 'WrongAnswer' })).toMatchObject({ score: 70 });
    });

    it('rejects scores that the rules do not allow', async () => {
        const sample = await loadScored(MODERN_TESTS, MODERN);
        expect(() => judge(sample, { 'secret/b/1': { points: 26 } })).toThrow(/at most 25/);
        expect(() => judge(sample, { 'secret/b/1': { points: Number.NaN } })).toThrow(/not a number/);
        const unbounded = await loadScored(['secret/1'], {
            ...MODERN,
            'data/secret/a/test_group.yaml': '',
            'data/secret/test_group.yaml': 'max_score: unbounded\n',
        });
        expect(() => judge(unbounded)).toThrow(/no score/);
        expect(judge(unbounded, { 'secret/1': { points: 1e6 } })).toMatchObject({
            verdict: 'Accepted',
            score: 1e6,
        });
    });

    it('expects the scores of submissions.yaml', async () => {
        const sample = await loadScored(MODERN_TESTS, {
            ...MODERN,
            'submissions/mixed/part.py': SUM,
            'submissions/submissions.yaml':
                'mixed/part.py:\n  permitted: [AC, WA]\n  score: [20, 70]\n  secret/a:\n    score: 20\n',
        });
        const [part] = sample.groups['incorrect_solution'] ?? [];
        expect(part).toMatchObject({
            expectedScores: [
                { min: 20, max: 70 },
                { group: 'secret/a', min: 20, max: 20 },
            ],
        });
    });
});

describe('fingerprints of problems with scores', () => {
    it('are those of the golden vectors', async () => {
        const legacy = await loadScored(OLYMPIAD_TESTS, OLYMPIAD);
        const modern = await loadScored(MODERN_TESTS, MODERN);
        const graded = await loadScored(['secret/1'], {
            'data/testdata.yaml': 'grading: custom\n',
            'graders/grade.py': 'print("AC 1")\n',
        });
        expect([legacy, modern, graded].map((sample) => fingerprintSample(sample, '')['solution'])).toEqual([
            ['v1-sha256-5bfcec0e910b1cd666bc9b0b5249b318eb92bcf020b959c33f6d917198577a57'],
            ['v1-sha256-79a68aa83035178f55d0314e6031596684353c7bd57f1eae5f1c662bac9e3c96'],
            ['v1-sha256-1dcc0378eefaf41161353561293a5030fbe354796a47afd0c8a8859aa1dc698d'],
        ]);
    });

    it('change with the rules', async () => {
        const one = await loadScored(OLYMPIAD_TESTS, OLYMPIAD);
        const other = await loadScored(OLYMPIAD_TESTS, {
            ...OLYMPIAD,
            'data/secret/group1/testdata.yaml': 'on_reject: break\naccept_score: 31\ngrader_flags: min\n',
        });
        expect(fingerprintSample(one, '')).not.toEqual(fingerprintSample(other, ''));
    });
});
