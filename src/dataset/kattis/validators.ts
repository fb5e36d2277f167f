import type { Checker, CheckerProgram } from '../../model/sample.js';
import type { GraderProgram } from '../../model/scoring.js';
import { findLanguageOfProgram, findMainFile } from './languages.js';
import type { PackageFile } from './package-files.js';
import type { ProblemSettings } from './problem-yaml.js';
import {
    findRefusedFile,
    findScript,
    isScript,
    type ProgramFile,
    readSourceFiles,
    readSourceTexts,
    SCRIPTED,
} from './program.js';

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
    const [program, ...others] = listPrograms(own, VALIDATORS);
    if (program === undefined) return { checker: standard, skip: 'its output validator is missing' };
    if (others.length > 0 && (settings.interactive || settings.passes !== null)) {
        const skip = 'several output validators cannot work with one program at once';
        return { checker: standard, skip };
    }
    const checkers: CheckerProgram[] = [];
    for (const each of [program, ...others]) {
        const loaded = await loadProgram(each, settings, 'output validator');
        if ('skip' in loaded) return { checker: standard, skip: loaded.skip };
        const { validatorFlags: flags } = settings;
        checkers.push({ kind: 'program', convention: 'kattis', ...loaded, flags, ...readLimits(settings) });
    }
    const [first, ...also] = checkers;
    if (first === undefined) throw new Error('bug in resume-run: validators without a first one');
    return { checker: also.length === 0 ? first : { ...first, also }, skip: null };
}

const VALIDATORS = /^(output_validators?)\/(.+)$/;

interface ValidatorProgram {
    readonly base: string;
    readonly files: ProgramFile[];
}

/**
 * Programs among the files of output_validators/ (or output_validator/, which is a single program). Each folder is a program; so
 * are all loose files together, as in packages that use no folder.
 */
function listPrograms(files: readonly PackageFile[], place: RegExp): ValidatorProgram[] {
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
    // Loose files beside a folder are headers and notes, unless one of them is a source file.
    const loose = withSources.filter((each) => each.base === '');
    const folders = withSources.filter((each) => each.base !== '');
    const looseSources = loose.some((each) =>
        each.files.some((file) => /\.(py|cc|cpp|cxx|c|java)$/i.test(file.name)),
    );
    return folders.length > 0 && !looseSources ? folders : withSources;
}

const isNote = (name: string): boolean =>
    /(^|\/)(readme|license|makefile|cmakelists)[^/]*$|\.(md|txt)$/i.test(name);

/** A program that the problem provides, or the reason why it cannot be used. */
type LoadedProgram =
    | { readonly language: string; readonly files: CheckerProgram['files'] }
    | { readonly skip: string };

/** @param what used in messages: `output validator` */
async function loadProgram(
    program: ValidatorProgram,
    settings: ProblemSettings,
    what: string,
): Promise<LoadedProgram> {
    const { base } = program;
    const refused = findRefusedFile(program.files);
    if (refused !== null) return { skip: `its ${what}'s ${refused}` };
    const byScript = async ({ name }: ProgramFile): Promise<LoadedProgram> => ({
        language: SCRIPTED,
        files: await readSourceFiles(program.files, name, settings.constants),
    });
    const script = await findScript(program.files);
    if (script !== null) return byScript(script);
    const files = program.files.filter((file) => !isNote(file.name) && !isScript(file));
    const sources = await readSourceTexts(files);
    const language = findLanguageOfProgram(sources);
    const main = language === null ? null : findMainFile(sources, language, base, null);
    if (language !== null && main !== null)
        return { language, files: await readSourceFiles(files, main, settings.constants) };
    const started = program.files.find(isScript);
    if (started !== undefined) return byScript(started);
    return { skip: `its ${what}'s language cannot be determined from its files` };
}

export interface FoundGrader {
    readonly grader: GraderProgram | null;
    readonly skip: string | null;
}

/** The program in graders/, which grades the groups that request it. */
export async function loadGrader(
    files: readonly PackageFile[],
    settings: ProblemSettings,
): Promise<FoundGrader> {
    const [program, ...others] = listPrograms(files, /^(graders)\/(.+)$/);
    if (program === undefined) return { grader: null, skip: null };
    if (others.length > 0) return { grader: null, skip: 'it has several graders' };
    const loaded = await loadProgram(program, settings, 'grader');
    return 'skip' in loaded ? { grader: null, skip: loaded.skip } : { grader: loaded, skip: null };
}

/** The program in static_validator/, which judges the source of submissions. */
export async function loadStaticProgram(
    files: readonly PackageFile[],
    settings: ProblemSettings,
): Promise<{ readonly validator: CheckerProgram | null; readonly skip: string | null }> {
    const [program] = listPrograms(files, /^(static_validator)\/(.+)$/);
    if (program === undefined) return { validator: null, skip: 'its static validator is missing' };
    const loaded = await loadProgram(program, settings, 'static validator');
    if ('skip' in loaded) return { validator: null, skip: loaded.skip };
    return {
        validator: { kind: 'program', convention: 'kattis', ...loaded, flags: [], ...readLimits(settings) },
        skip: null,
    };
}

/** The limits that a package gives for its validators. */
const readLimits = ({
    validationTime: time,
    validationMemory: memory,
    validationOutput: output,
}: ProblemSettings): Pick<CheckerProgram, 'time' | 'memory' | 'output'> => ({
    time,
    memory,
    ...(output === null ? {} : { output }),
});
