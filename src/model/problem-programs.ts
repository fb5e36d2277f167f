import type { CheckerProgram, Judging } from './sample.js';

/** A program that a problem brings along to judge submissions with. */
export interface ProblemProgram {
    /** What it is, in words. */
    readonly role: 'checker' | 'validator' | 'interactor' | 'static validator' | 'grader';
    readonly program: Pick<CheckerProgram, 'language' | 'files'>;
}

type ProgramSources = Pick<Judging, 'checker' | 'interactor' | 'staticValidator' | 'scoring'>;

/** All programs of a problem: whatever judges a submission to it must be able to run each of them. */
export function listProblemPrograms({
    checker,
    interactor,
    staticValidator,
    scoring,
}: ProgramSources): ProblemProgram[] {
    const programs: ProblemProgram[] = [];
    const add = (role: ProblemProgram['role'], program: CheckerProgram | undefined): void => {
        for (const one of program === undefined ? [] : [program, ...(program.also ?? [])])
            programs.push({ role, program: one });
    };
    if (checker.kind === 'program') add(checker.convention === 'kattis' ? 'validator' : 'checker', checker);
    add('interactor', interactor);
    add('static validator', staticValidator);
    const grader = scoring?.grader ?? null;
    if (grader !== null) programs.push({ role: 'grader', program: grader });
    return programs;
}
