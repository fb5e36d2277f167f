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

/** How the helper is started: `argv` and then `serve`. */
export interface HelperProgram {
    readonly kind: 'c' | 'python';
    readonly argv: readonly [string, ...string[]];
    /** What starts the helper inside a sandbox, before its own path; empty for the compiled one. */
    readonly interpreter: readonly string[];
    /** Why it is not the compiled one, or null. */
    readonly note: string | null;
}

let found: Promise<HelperProgram> | null = null;

/**
 * The helper, compiled on first use into a cache folder of our own user; its python twin where there is no C compiler.
 * @throws SandboxError where there is neither
 */
export function findHelper(): Promise<HelperProgram> {
    found ??= locate(process.env['RESUME_RUN_HELPER']);
    return found;
}

/** @param only `c` or `python`: that one or none; for tests and for `doctor` */
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
            `${note ?? 'RESUME_RUN_HELPER=python'}, and there is no python3 to run its twin`,
        );
    }
    const interpreter = [python, '-I', '-S'] as const;
    return { kind: 'python', argv: [...interpreter, join(NATIVE_FOLDER, 'helper.py')], interpreter, note };
}

function firstLine(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    return text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('Command failed')) ?? text;
}

/** The system's python: one from a version manager may be out of reach inside the sandbox. */
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

/** Built beside its place and renamed into it: whoever comes at the same time gets a whole file. */
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
        // Static: smaller in memory, quicker to start, and the same in every sandbox. Not every system can.
        const env = { ...process.env, PATH: programFolders().join(delimiter) };
        await run(cc, ['-static', ...flags], { env }).catch(() => run(cc, flags, { env }));
        // The sandbox runs it as another user; the folder above lets nobody else in.
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
