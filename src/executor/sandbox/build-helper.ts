import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, lstat, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { NATIVE_FOLDER } from '../native.js';
import { programCacheFolder } from './cache-folder.js';
import { findProgram, programFolders } from './find-program.js';
import { SandboxError } from './sandbox-error.js';

const run = promisify(execFile);

/** How to start the helper: `argv`, followed by `serve`. */
export interface HelperProgram {
    readonly kind: 'c' | 'python';
    readonly argv: readonly [string, ...string[]];
    /** Command that starts the helper inside a sandbox, to be followed by the helper's path; empty for the compiled one. */
    readonly interpreter: readonly string[];
    /** Why the compiled helper is not used, or null. */
    readonly note: string | null;
}

let found: Promise<HelperProgram> | null = null;

/**
 * The helper, compiled on first use into a cache folder of our own user; its Python counterpart if there is no C compiler.
 * @throws SandboxError if neither is possible
 */
export function findHelper(): Promise<HelperProgram> {
    found ??= locate(process.env['RESUME_RUN_HELPER']);
    return found;
}

/** @param only `c` or `python`: consider only that one; for tests and for `doctor` */
export async function locate(only?: string): Promise<HelperProgram> {
    let note: string | null = null;
    if (only !== 'python') {
        try {
            return { kind: 'c', argv: [await compiledHelper()], interpreter: [], note: null };
        } catch (error) {
            note = `the helper could not be compiled (${firstLine(error)})`;
            if (only === 'c') throw new SandboxError(note);
        }
    }
    const python = await findPython();
    if (python === null) {
        throw new SandboxError(
            `${note ?? 'RESUME_RUN_HELPER=python'}, and there is no python3 to run the Python helper`,
        );
    }
    const interpreter = [python, '-I', '-S'] as const;
    return { kind: 'python', argv: [...interpreter, join(NATIVE_FOLDER, 'helper.py')], interpreter, note };
}

function firstLine(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    return text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('Command failed')) ?? text;
}

/** The system's Python: one from a version manager may be inaccessible inside the sandbox. */
async function findPython(): Promise<string | null> {
    const system = '/usr/bin/python3';
    const there = await stat(system).then(
        () => true,
        () => false,
    );
    return there ? system : findProgram('python3');
}

async function compiledHelper(): Promise<string> {
    const cc = (await findProgram('cc')) ?? (await findProgram('gcc')) ?? (await findProgram('clang'));
    if (cc === null) throw new Error('no C compiler: none of cc, gcc and clang is installed');
    const sources = (await readdir(NATIVE_FOLDER))
        .filter((name) => name.endsWith('.c') || name.endsWith('.h'))
        .sort();
    const hash = createHash('sha256').update(`${process.arch}\0${cc}\0`);
    for (const name of sources) hash.update(`${name}\0`).update(await readFile(join(NATIVE_FOLDER, name)));
    const cache = await programCacheFolder();
    const target = join(cache, `helper-${hash.digest('hex').slice(0, 16)}`);
    if (await isOurs(target)) return target;
    const files = sources.filter((name) => name.endsWith('.c')).map((name) => join(NATIVE_FOLDER, name));
    await compileInto(cc, files, cache, target);
    return target;
}

/** Compiles to a temporary file and renames it into place, so that concurrent starts see a complete file. */
async function compileInto(
    cc: string,
    files: readonly string[],
    cache: string,
    target: string,
): Promise<void> {
    const folder = await mkdtemp(join(cache, 'build-'));
    try {
        const out = join(folder, 'helper');
        const flags = ['-O2', '-std=gnu11', '-o', out, ...files];
        // A static program uses less memory, starts faster, and is the same in every sandbox. Not every system can build one.
        const env = { ...process.env, PATH: programFolders().join(delimiter) };
        await run(cc, ['-static', ...flags], { env }).catch(() => run(cc, flags, { env }));
        // The sandbox runs it as another user; the parent folder keeps all others out.
        await chmod(out, 0o755);
        await rename(out, target);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

async function isOurs(path: string): Promise<boolean> {
    const info = await lstat(path).catch(() => null);
    return info !== null && info.isFile() && info.uid === process.getuid?.();
}
