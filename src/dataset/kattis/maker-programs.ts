import type { MakerProgram } from '../../model/test-recipe.js';
import type { Field } from '../field.js';
import { findLanguageOfProgram, findMainFile } from './languages.js';
import type { PackageFile } from './package-files.js';
import {
    findRefusedFile,
    findScript,
    isScript,
    type ProgramFile,
    readSourceFiles,
    readSourceTexts,
    SCRIPTED,
} from './program.js';
import { RecipeError, rootGeneratorPath } from './recipe-error.js';

/** Prefix that marks a program of `generators:` among paths. */
const LISTED = 'listed:';

/** The programs that generators.yaml names, generators and solutions; each is read once. */
export class MakerPrograms {
    readonly #byName: ReadonlyMap<string, PackageFile>;
    readonly #programs = new Map<string, Promise<MakerProgram>>();

    constructor(
        private readonly files: readonly PackageFile[],
        /** `generators:` of the file: lists of files by program name. */
        private readonly listed: Field,
        private readonly constants: ReadonlyMap<string, string>,
    ) {
        this.#byName = new Map(files.map((file) => [file.name, file]));
    }

    /** A name in `generators:` stands for the files listed there; any other name is a file or a folder. @throws RecipeError */
    loadGenerator(name: string): Promise<MakerProgram> {
        return this.load(this.listed.get(name).present ? `${LISTED}${name}` : rootGeneratorPath(name));
    }

    /** @param path relative to the package's folder @throws RecipeError */
    load(path: string): Promise<MakerProgram> {
        let program = this.#programs.get(path);
        if (program === undefined) {
            program = this.#read(path);
            this.#programs.set(path, program);
            program.catch(() => {});
        }
        return program;
    }

    async #read(path: string): Promise<MakerProgram> {
        const listed = path.startsWith(LISTED) ? path.slice(LISTED.length) : null;
        const files = listed === null ? this.#filesAt(path) : this.#listedFiles(listed);
        const label = listed ?? path;
        if (files.length === 0) throw new RecipeError(`${label} is not in the package`);
        const refused = findRefusedFile(files);
        if (refused !== null) throw new RecipeError(refused);
        const byScript = async ({ name }: ProgramFile): Promise<MakerProgram> => ({
            language: SCRIPTED,
            files: await readSourceFiles(files, name, this.constants),
        });
        const script = await findScript(files);
        if (script !== null) return byScript(script);
        const sources = await readSourceTexts(files);
        const first = listed === null ? null : (files[0]?.name ?? null);
        const language =
            findLanguageOfProgram(sources) ??
            findLanguageOfProgram(sources.filter(({ name }) => name === first));
        const base = path.slice(path.lastIndexOf('/') + 1);
        const main = language === null ? null : findMainFile(sources, language, base, first);
        const started = files.find(isScript);
        if ((language === null || main === null) && started !== undefined) return byScript(started);
        if (language === null || main === null)
            throw new RecipeError(`the language of ${label} cannot be determined from its files`);
        return { language, files: await readSourceFiles(files, main, this.constants) };
    }

    #filesAt(path: string): ProgramFile[] {
        const file = this.#byName.get(path);
        if (file !== undefined) return [{ name: path.slice(path.lastIndexOf('/') + 1), file }];
        return this.files
            .filter(({ name }) => name.startsWith(`${path}/`))
            .map((each) => ({ name: each.name.slice(path.length + 1), file: each }));
    }

    #listedFiles(name: string): ProgramFile[] {
        return this.listed
            .get(name)
            .strings()
            .flatMap((each) => this.#filesAt(rootGeneratorPath(each)));
    }
}
