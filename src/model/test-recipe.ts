import type { Content, SourceFile } from './content.js';

/*
 * Tests that a dataset describes instead of holding them: programs of the dataset make them. Recipes are plain data; who can run
 * programs implements `TestMaker`.
 */

/** A program of the dataset's. */
export interface MakerProgram {
    readonly language: string;
    readonly files: readonly [SourceFile, ...SourceFile[]];
}

export interface TestRecipe {
    /** `secret/02-big` */
    readonly name: string;
    readonly input:
        | { readonly kind: 'content'; readonly content: Content }
        /**
         * What the program writes to `testcase.in`, else to stdout. It may write `testcase.ans` and `testcase.yaml`, too.
         * `tries`: its arguments; where it fails, those for the next try.
         */
        | {
              readonly kind: 'program';
              readonly program: MakerProgram;
              readonly tries: readonly (readonly string[])[];
          };
    /** null: what the program of the input wrote, else what the solution answers. */
    readonly answer: Content | null;
    /** Reads the input and prints the answer; null: there is none. */
    readonly solution: MakerProgram | null;
}

/** Paths of a test that was made. They stay as long as the results directory. */
export interface MadeTest {
    readonly name: string;
    readonly input: string;
    readonly answer: string;
    /** Settings of the test (`testcase.yaml`) that its generator wrote; null: it wrote none. */
    readonly settings: string | null;
}

/** A script of the package's that makes all of its tests, and what it may read. */
export interface ScriptRecipe {
    /** From the package's folder: `data/generator.sh`. */
    readonly script: string;
    /** Name of the package's folder, which the script can see. */
    readonly folder: string;
    readonly files: readonly ScriptFile[];
}

export interface ScriptFile {
    /** From the package's folder, `..` for what is shared with other packages: `../testdata_tools/gen.sh`. */
    readonly name: string;
    readonly content: Content & { readonly path: string };
    readonly isExecutable: boolean;
}

/** A file of a test, or of settings, that a script left in the package's `data` folder. */
export interface MadeFile {
    /** `data/secret/group1/001-a.in` */
    readonly name: string;
    /** Stays as long as the results directory. */
    readonly path: string;
}

export interface TestMaker {
    /**
     * Makes the tests, or finds those that an earlier start made by the same recipes.
     * @param what whose tests they are, for messages
     * @returns a text that says why they cannot be made, by the dataset's own fault or for want of a toolchain
     * @throws UserError (exit 2) where the machine failed
     */
    make(what: string, recipes: readonly TestRecipe[]): Promise<readonly MadeTest[] | string>;

    /**
     * Runs the script over a copy of its files, or finds what an earlier start made of the same files.
     * @returns a text that follows "could not be made by data/generator.sh: "
     * @throws UserError (exit 2) where the machine failed
     */
    runScript(what: string, recipe: ScriptRecipe): Promise<readonly MadeFile[] | string>;
}
