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

export interface TestMaker {
    /**
     * Makes the tests, or finds those that an earlier start made by the same recipes.
     * @param what whose tests they are, for messages
     * @returns a text that says why they cannot be made, by the dataset's own fault or for want of a toolchain
     * @throws UserError (exit 2) where the machine failed
     */
    make(what: string, recipes: readonly TestRecipe[]): Promise<readonly MadeTest[] | string>;
}
