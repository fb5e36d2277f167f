import type { CapturedRun } from '../../model/entry.js';
import type { ProgramInput } from '../../model/sample.js';
import { fillIn, listVariants } from '../judge/command.js';
import { findJavaClass } from '../judge/java-class.js';
import { type Language, startsWhatItCompiles } from '../judge/language.js';
import { COMPILE_LIMITS } from '../judge/limits.js';
import type { Suspicion } from '../../model/task.js';
import { unreachable } from '../../util/unreachable.js';
import { nameSignal } from '../signal-name.js';
import { readSourceBytes } from './fusion-source.js';
import { type GoJudgeCommand, ENV, type GivenFile, type Ran } from './go-judge-protocol.js';
import { asText } from './load.js';
import { findCompilerTrouble } from './machine-trouble.js';

/** A submission's files, by their names on the server. */
export interface Sources {
    readonly files: Readonly<Record<string, string>>;
    /** Files that JSON cannot carry, because they are not UTF-8; they are uploaded first. */
    readonly binaries: Readonly<Record<string, Buffer>>;
    readonly main: string;
    /** Java's main class; '' for other languages. */
    readonly mainClass: string;
}

/** What is needed to run a program: its own files, or those that the compiler made. */
export interface Built {
    readonly endpoint: string;
    readonly copyIn: Readonly<Record<string, GivenFile>>;
    /** The compiler's result if it refused the program. */
    readonly refused: CapturedRun | null;
    /** Why the machine may have caused that; null if it is the program's fault. */
    readonly doubt: Suspicion | null;
}

/** Names of a compiled program, and of the archive of its classes. */
const PROGRAM = 'program';
const CLASSES = 'classes';

/** Reads a submission. */
export async function readSources(input: Pick<ProgramInput, 'files'>, language: Language): Promise<Sources> {
    const files: Record<string, string> = {};
    const binaries: Record<string, Buffer> = {};
    let main = '';
    let mainClass = '';
    for (const [index, file] of input.files.entries()) {
        const bytes = await readSourceBytes(file.content, language.tag);
        const text = asText(bytes);
        let name = file.name;
        if (index === 0) {
            name = fits(name, language) ? name : language.source;
            if (language.tag === 'JAVA') {
                const found = findJavaClass(text ?? bytes.toString('latin1'), name);
                if (input.files.length === 1) name = found.fileName;
                mainClass = found.mainClass ?? name.replace(/\.java$/, '');
            }
            main = name;
        }
        if (text === null) binaries[name] = bytes;
        else files[name] = text;
    }
    if (language.beside !== undefined) files[language.beside.name] = language.beside.text;
    return { files, binaries, main, mainClass };
}

/** Whether a compiler accepts the name that a dataset gives. */
const fits = (name: string, language: Language): boolean =>
    /^[\w+][\w.+-]*$/.test(name) && language.extensions.some((extension) => name.endsWith(extension));

/** Commands that compile it, to be tried in order; none if there is nothing to compile. */
export function compileCommands(
    language: Language,
    sources: Sources,
    uploaded: Built['copyIn'],
): readonly GoJudgeCommand[] {
    const [template] = language.compile;
    if (template === undefined) return [];
    return listVariants(template).map((variant) => ({
        ...compileCommand(language, sources, variant),
        copyIn: { ...asContents(sources.files), ...uploaded },
    }));
}

function compileCommand(
    language: Language,
    sources: Sources,
    variant: readonly string[],
): Omit<GoJudgeCommand, 'copyIn'> {
    const compile = [ENV, ...fillIn(variant, placeholders(language, sources))];
    // Classes are packed into one archive, because a server keeps files, not folders.
    const archive = [
        '/bin/sh',
        '-c',
        `mkdir ${CLASSES} && "$@" && ${ENV} jar cf ${CLASSES}.jar -C ${CLASSES} .`,
        'sh',
    ];
    const folder = ['/bin/sh', '-c', `mkdir ${CLASSES} && "$@"`, 'sh'];
    const args =
        language.makes !== 'folder'
            ? compile
            : [...(namedResult(language) === null ? archive : folder), ...compile];
    return {
        args,
        stdin: { content: '' },
        keep: [`${resultName(language)}?`],
        limits: COMPILE_LIMITS_HERE,
    };
}

/** Unlike on this machine, 0 does not mean no limit here. */
const COMPILE_LIMITS_HERE = {
    cpu: COMPILE_LIMITS.cpu,
    wall: COMPILE_LIMITS.wall,
    memory: COMPILE_LIMITS.memory,
    stack: 512 * 1024 * 1024,
    output: COMPILE_LIMITS.output,
    processes: COMPILE_LIMITS.processes,
};

/** The files from which a compiled program is run. */
export function listBuiltFiles(language: Language, ran: Ran): Built['copyIn'] | null {
    const name = resultName(language);
    const fileId = ran.fileIds[name];
    return fileId === undefined ? null : { [name]: { fileId } };
}

/** The program's own command line. @param memory bytes that runtimes may allocate */
export function runArguments(
    language: Language,
    sources: Sources,
    memory: number,
    stack: number,
): readonly [string, ...string[]] {
    const [template] = language.run;
    if (template === undefined) throw new Error(`bug in resume-run: ${language.tag} has no run command`);
    const values = {
        ...placeholders(language, sources),
        memory_mb: String(Math.floor(memory / MIB)),
        stack_mb: String(Math.floor(stack / MIB)),
        dir: language.makes !== 'folder' ? '.' : namedResult(language) === null ? `${CLASSES}.jar` : CLASSES,
    };
    return [ENV, ...fillIn(template, values)];
}

const MIB = 1024 * 1024;

function placeholders(language: Language, sources: Sources) {
    const names = [...Object.keys(sources.files), ...Object.keys(sources.binaries)];
    return {
        source: sources.main,
        sources: names.filter((name) => language.extensions.some((extension) => name.endsWith(extension))),
        out: language.makes === 'folder' ? CLASSES : `./${PROGRAM}`,
        class: sources.mainClass,
        includes: [],
    };
}

/** The one file below `{out}` that a compile command names (`{out}/main.jar`); null if the command fills the folder. */
function namedResult(language: Language): string | null {
    const named = language.compile[0]?.find((argument) => argument.startsWith('{out}/'));
    return named === undefined ? null : named.replace('{out}', CLASSES);
}

const resultName = (language: Language): string =>
    language.makes === 'folder' ? (namedResult(language) ?? `${CLASSES}.jar`) : PROGRAM;

export const asContents = (files: Sources['files']): Record<string, GivenFile> =>
    Object.fromEntries(Object.entries(files).map(([name, content]) => [name, { content }]));

/** What a failed compilation says about the program. */
interface CompilerEnd {
    /** Why it says nothing about the program; null if it may. */
    readonly failure: string | null;
    /** Why the machine may have caused it. */
    readonly doubt: Suspicion | null;
}

const NO_PROGRAM = 'the compiler made no program';

/** As on this machine, a compiler that is stopped at a limit, killed or in trouble gets another try. */
export function describeCompilerEnd(ran: Ran, language: Language): CompilerEnd {
    switch (ran.status) {
        case 'Accepted':
            // It ended normally but made no program, for example from a package that is not the main one.
            return { failure: startsWhatItCompiles(language) ? null : NO_PROGRAM, doubt: null };
        case 'Nonzero Exit Status': {
            const isTroubled = findCompilerTrouble(compileResult(ran)) !== null;
            return { failure: null, doubt: isTroubled ? 'machine' : null };
        }
        case 'Signalled':
            return { failure: null, doubt: 'signal' };
        case 'Memory Limit Exceeded':
        case 'Output Limit Exceeded':
            return { failure: null, doubt: 'compile-limit' };
        case 'Time Limit Exceeded':
            // Stopped at its wall time limit, it had to wait for a processor, or for something that the program includes.
            return { failure: null, doubt: ran.cpu >= COMPILE_LIMITS.cpu ? 'compile-limit' : 'machine' };
        case 'Dangerous Syscall':
            return { failure: `the compiler ended with ${ran.status}`, doubt: null };
        default:
            return unreachable(ran.status, 'status of go-judge');
    }
}

/** A compilation in the form of result files. */
export function compileResult(ran: Ran): CapturedRun {
    const signal = ran.status === 'Signalled' ? nameSignal(ran.exitStatus) : null;
    return {
        status:
            ran.status === 'Time Limit Exceeded'
                ? 'TimeLimitExceeded'
                : ran.status === 'Accepted'
                  ? 'Finished'
                  : 'Error',
        execution_time: ran.wall,
        return_code: ran.status === 'Signalled' ? null : ran.exitStatus,
        ...(signal === null ? {} : { signal }),
        stdout: ran.stdout,
        stderr: isStopped(ran) ? `stopped by the server: ${ran.status}\n${ran.stderr}` : ran.stderr,
    };
}

/** The same for a compilation that produced no runnable program. */
export function refusedResult(ran: Ran): CapturedRun {
    const result = compileResult(ran);
    if (ran.status !== 'Accepted') return result;
    return { ...result, status: 'Error', stderr: `${result.stderr}${NO_PROGRAM}\n` };
}

/** Whether it was stopped, so that its own output does not say why it ended. */
const isStopped = ({ status }: Ran): boolean =>
    status === 'Memory Limit Exceeded' ||
    status === 'Output Limit Exceeded' ||
    status === 'Time Limit Exceeded';
