import type { Checker } from '../../model/sample.js';
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
    const own = files.filter((file) => /^output_validators?\//.test(file.name));
    if (!(settings.customValidator ?? own.length > 0)) return { checker: standard, skip: null };
    const programs = programsOf(own);
    const [program, ...others] = programs;
    if (program === undefined) return { checker: standard, skip: 'its output validator is missing' };
    if (others.length > 0)
        return { checker: standard, skip: 'several output validators at once are not supported' };
    return loadProgram(program, settings, standard);
}

interface ValidatorProgram {
    readonly base: string;
    readonly files: ProgramFile[];
}

/**
 * Programs among the files of output_validators/ (or output_validator/, which is one program): a folder each, or all
 * files that lie there loosely together, as packages without a folder of their own have them.
 */
function programsOf(files: readonly PackageFile[]): ValidatorProgram[] {
    const programs = new Map<string, ValidatorProgram>();
    for (const file of files) {
        const [, kind = '', inside = ''] = /^(output_validators?)\/(.+)$/.exec(file.name) ?? [];
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

async function loadProgram(
    program: ValidatorProgram,
    settings: ProblemSettings,
    standard: Checker,
): Promise<FoundChecker> {
    const { base } = program;
    const files = program.files.filter(
        (file) => !isNote(file.name) && file.name !== 'build' && file.name !== 'run',
    );
    const refused = refusedFile(files);
    if (refused !== null) return { checker: standard, skip: `its output validator's ${refused}` };
    const sources = await readSourceTexts(files);
    const language = languageOfProgram(sources);
    const main = language === null ? null : mainFile(sources, language, base, null);
    if (language === null || main === null) {
        const scripted = files.length < program.files.length;
        return {
            checker: standard,
            skip: scripted
                ? 'its output validator is built by a script of its own, which is not supported'
                : "its output validator's language cannot be told from its files",
        };
    }
    const checker: Checker = {
        kind: 'program',
        convention: 'kattis',
        language,
        files: await sourceFiles(files, main, settings.constants),
        flags: settings.validatorFlags,
        time: settings.validationTime,
        memory: settings.validationMemory,
    };
    return { checker, skip: null };
}
