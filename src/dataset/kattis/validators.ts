import type { Checker, CheckerProgram } from '../../model/sample.js';
import type { GraderProgram } from '../../model/scoring.js';
import { languageOfProgram, mainFile } from './languages.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import { type ProgramFile, readSourceTexts, refusedFile, sourceFiles } from './program.js';

export interface FoundChecker {
    readonly checker: Checker;
    /** Why the problem cannot be judged with its validator. */
    readonly skip: string | null;
}

/** The default validator with its flags, or the package's own. */
export async function loadChecker(
    files: readonly PackageFile[],
    settings: ProblemSettings,
): Promise<FoundChecker> {
    const standard: Checker = { kind: 'kattis', flags: settings.validatorFlags };
    const own = files.filter((file) => VALIDATORS.test(file.name));
    if (!settings.interactive && !(settings.customValidator ?? own.length > 0))
        return { checker: standard, skip: null };
    const programs = programsOf(own, VALIDATORS);
    const [program, ...others] = programs;
    if (program === undefined) return { checker: standard, skip: 'its output validator is missing' };
    if (others.length > 0)
        return { checker: standard, skip: 'several output validators at once are not supported' };
    if (settings.interactive && program.files.some((file) => file.name === 'run')) {
        // What it runs may take other arguments than a validator does.
        const skip = 'its output validator is run by a script of its own, which is not supported';
        return { checker: standard, skip };
    }
    const loaded = await loadProgram(program, settings, 'output validator');
    if ('skip' in loaded) return { checker: standard, skip: loaded.skip };
    const checker: Checker = {
        kind: 'program',
        convention: 'kattis',
        ...loaded,
        flags: settings.validatorFlags,
        time: settings.validationTime,
        memory: settings.validationMemory,
    };
    return { checker, skip: null };
}

const VALIDATORS = /^(output_validators?)\/(.+)$/;

interface ValidatorProgram {
    readonly base: string;
    readonly files: ProgramFile[];
}

/**
 * Programs among the files of output_validators/ (or output_validator/, which is one program): a folder each, or all
 * files that lie there loosely together, as packages without a folder of their own have them.
 */
function programsOf(files: readonly PackageFile[], place: RegExp): ValidatorProgram[] {
    const programs = new Map<string, ValidatorProgram>();
    for (const file of files) {
        const [, kind = '', inside = ''] = place.exec(file.name) ?? [];
        if (inside === '') continue;
        const slash = inside.indexOf('/');
        const base = slash === -1 ? '' : inside.slice(0, slash);
        const program = programs.get(`${kind}/${base}`) ?? { base, files: [] };
        program.files.push({ name: inside.slice(slash + 1), file });
        programs.set(`${kind}/${base}`, program);
    }
    const withSources = [...programs.values()].filter((each) =>
        each.files.some((file) => !isNote(file.name)),
    );
    // Loose files beside a folder are headers and notes, unless one of them is a program itself.
    const loose = withSources.filter((each) => each.base === '');
    const folders = withSources.filter((each) => each.base !== '');
    const looseSources = loose.some((each) =>
        each.files.some((file) => /\.(py|cc|cpp|cxx|c|java)$/i.test(file.name)),
    );
    return folders.length > 0 && !looseSources ? folders : withSources;
}

const isNote = (name: string): boolean =>
    /(^|\/)(readme|license|makefile|cmakelists)[^/]*$|\.(md|txt)$/i.test(name);

/** A program of the problem's, or why it cannot be used. */
type LoadedProgram =
    | { readonly language: string; readonly files: CheckerProgram['files'] }
    | { readonly skip: string };

/** @param what for messages: `output validator` */
async function loadProgram(
    program: ValidatorProgram,
    settings: ProblemSettings,
    what: string,
): Promise<LoadedProgram> {
    const { base } = program;
    const files = program.files.filter(
        (file) => !isNote(file.name) && file.name !== 'build' && file.name !== 'run',
    );
    const refused = refusedFile(files);
    if (refused !== null) return { skip: `its ${what}'s ${refused}` };
    const sources = await readSourceTexts(files);
    const language = languageOfProgram(sources);
    const main = language === null ? null : mainFile(sources, language, base, null);
    if (language === null || main === null) {
        const scripted = files.length < program.files.length;
        return {
            skip: scripted
                ? `its ${what} is built by a script of its own, which is not supported`
                : `its ${what}'s language cannot be told from its files`,
        };
    }
    return { language, files: await sourceFiles(files, main, settings.constants) };
}

export interface FoundGrader {
    readonly grader: GraderProgram | null;
    readonly skip: string | null;
}

/** The program in graders/, which grades the groups that ask for it. */
export async function loadGrader(
    files: readonly PackageFile[],
    settings: ProblemSettings,
): Promise<FoundGrader> {
    const [program, ...others] = programsOf(files, /^(graders)\/(.+)$/);
    if (program === undefined) return { grader: null, skip: null };
    if (others.length > 0) return { grader: null, skip: 'it has several graders' };
    const loaded = await loadProgram(program, settings, 'grader');
    return 'skip' in loaded ? { grader: null, skip: loaded.skip } : { grader: loaded, skip: null };
}
