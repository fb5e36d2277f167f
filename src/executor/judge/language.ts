export interface Language {
    /** Upper-case tag, as in datasets and result files. */
    readonly tag: string;
    readonly name: string;
    /** With the dot; the first one is used for a program without a file name. */
    readonly extensions: readonly string[];
    /** Name of the main file if a dataset gives only the source text. */
    readonly source: string;
    /** Tried in order: the first command whose tool exists is used. Empty: nothing to compile. */
    readonly compile: readonly (readonly string[])[];
    readonly run: readonly (readonly string[])[];
    /** How its memory limit is enforced. */
    readonly memory: MemoryRule;
    /** Most concurrent processes and threads. */
    readonly processes: number;
    /** Whether the compiler makes a folder of files (classes) rather than one program. */
    readonly makes: 'program' | 'folder' | 'nothing';
    /** Its compiler writes beside the source, which is read-only, so it gets a copy. */
    readonly compilesCopy?: true;
    /** Files and folders outside /usr that its toolchain reads; the existing ones are made visible to it. */
    readonly needs?: readonly string[];
    /** The parts of its standard library that the compiler compiles for each program unless it finds them in a cache. */
    readonly standardLibrary?: StandardLibrary;
    /** A file of ours that its run command names, placed beside the program's own files. */
    readonly beside?: { readonly name: string; readonly text: string };
    /** What it prints on stderr when it runs out of memory. */
    readonly outOfMemory: RegExp | null;
}

/**
 * Whether the compiled program is started directly, rather than read by another program, which may look for it under any name.
 */
export const startsWhatItCompiles = ({ run }: Language): boolean => run.every(([first]) => first === '{out}');

export interface MemoryRule {
    /** True if RLIMIT_AS works, because the program takes no more address space than it needs. */
    readonly addressSpace: boolean;
    /** Bytes that the runtime needs beside the program's own memory; added to the limit at which it is killed. */
    readonly overhead: number;
}

/** A standard library that is compiled once and made available to every compilation (build-cache.ts). */
export interface StandardLibrary {
    /** The variable that tells the compiler the folder of the cache. */
    readonly cacheVariable: string;
    /** File name of a program that imports what submissions commonly import. */
    readonly file: string;
    readonly source: string;
    /** Arguments after the compiler's path; `{file}` and `{out}` are replaced. */
    readonly command: readonly string[];
}
