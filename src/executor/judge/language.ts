export interface Language {
    /** Upper-case tag, as in datasets and result files. */
    readonly tag: string;
    readonly name: string;
    /** With the dot; the first is used for a program without a file name. */
    readonly extensions: readonly string[];
    /** Name of the main file, where a dataset gives a bare source. */
    readonly source: string;
    /** Tried in order: the first whose tool is here is used. Empty: nothing to compile. */
    readonly compile: readonly (readonly string[])[];
    readonly run: readonly (readonly string[])[];
    /** How its memory is held. */
    readonly memory: MemoryRule;
    /** Processes and threads at once. */
    readonly processes: number;
    /** Whether the compiler makes a folder of files (classes) rather than one program. */
    readonly makes: 'program' | 'folder' | 'nothing';
    /** Its compiler writes beside the source, which is read-only: it gets a copy. */
    readonly compilesCopy?: true;
    /** Files and folders outside /usr that its toolchain reads; those that exist are shown to it. */
    readonly needs?: readonly string[];
    /** What its compiler compiles of its standard library for each program, unless it finds that in a cache. */
    readonly standardLibrary?: StandardLibrary;
    /** A file of ours that its run command names, beside the program's own. */
    readonly beside?: { readonly name: string; readonly text: string };
    /** What it prints on stderr when it is out of memory. */
    readonly outOfMemory: RegExp | null;
}

/** Whether what is compiled is started itself, not read by another program, which may look for it under any name. */
export const startsWhatItCompiles = ({ run }: Language): boolean => run.every(([first]) => first === '{out}');

export interface MemoryRule {
    /** RLIMIT_AS works: the program takes no more address space than it needs. */
    readonly addressSpace: boolean;
    /** What the runtime takes beside the program's own memory, bytes: added before it is killed. */
    readonly overhead: number;
}

/** A standard library that is compiled once and shown to every compilation (build-cache.ts). */
export interface StandardLibrary {
    /** The variable that names the folder of the cache to the compiler. */
    readonly cacheVariable: string;
    /** A program that imports what programs import. */
    readonly file: string;
    readonly source: string;
    /** After the compiler's path; `{file}` and `{out}`. */
    readonly command: readonly string[];
}
