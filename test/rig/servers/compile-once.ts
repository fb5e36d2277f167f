import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sharedFolder } from '../run-folder.js';

/** The output of a compilation: a folder that is no longer written to, and what was reported about it. */
export interface Compiled<T> {
    readonly folder: string;
    readonly told: T;
    readonly isFinal: boolean;
}

type Compile<T> = (folder: string) => Promise<Omit<Compiled<T>, 'folder'>>;

const compiling = new Map<string, Promise<Compiled<unknown>>>();

/**
 * Compiles once for all test files of a run, because they compile the same few programs on many servers.
 * @param facts everything that the outcome depends on
 * @param compile fills an empty folder; the next caller retries what is not final
 */
export function compileOnce<T>(facts: unknown, compile: Compile<T>): Promise<Compiled<T>> {
    const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
    const known = compiling.get(key) as Promise<Compiled<T>> | undefined;
    if (known !== undefined) return known;
    const started = lookOrCompile(join(sharedFolder('compiled-by-servers'), key), compile);
    compiling.set(key, started);
    started.then(
        ({ isFinal }) => void (isFinal || compiling.delete(key)),
        () => void compiling.delete(key),
    );
    return started;
}

async function lookOrCompile<T>(place: string, compile: Compile<T>): Promise<Compiled<T>> {
    if (existsSync(place)) return read(place);
    const temp = await mkdtemp(`${place}-`);
    const folder = join(temp, 'files');
    await mkdir(folder);
    const { told, isFinal } = await compile(folder);
    if (!isFinal) return { folder, told, isFinal };
    await writeFile(join(temp, 'told.json'), JSON.stringify(told));
    try {
        await rename(temp, place);
    } catch {
        // Another worker was faster.
        await rm(temp, { recursive: true, force: true });
    }
    return read(place);
}

async function read<T>(place: string): Promise<Compiled<T>> {
    const told = JSON.parse(await readFile(join(place, 'told.json'), 'utf8')) as T;
    return { folder: join(place, 'files'), told, isFinal: true };
}
