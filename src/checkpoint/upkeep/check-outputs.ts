import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../host/hash-file.js';
import { openFile } from '../../host/open-file.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { OutputFile } from '../../model/entry.js';
import { OUTPUT_NAME, OUTPUTS_FOLDER, listOutputFiles, makeOutputPath } from '../../model/output-file.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import type { Finding } from './finding.js';

type NotedTask = Parameters<typeof listOutputFiles>[0];

/** Compares the output files of a results directory with what entries say about them. */
export class OutputCheck {
    readonly #dir: string;
    /** Names of the files that are there. */
    readonly #present: ReadonlySet<string>;
    /** What entries say about each file, and where that was first read. */
    readonly #named = new Map<string, { readonly bytes: number; readonly where: string }>();

    private constructor(dir: string, present: ReadonlySet<string>) {
        this.#dir = dir;
        this.#present = present;
    }

    /** @param dir the results directory */
    static async open(dir: string): Promise<OutputCheck> {
        return new OutputCheck(dir, new Set(await listOutputs(dir)));
    }

    /** @param where the file that the checkpoint was read from */
    addCheckpoint(checkpoint: Checkpoint, where: string): void {
        for (const list of checkpoint.entries.values()) for (const { entry } of list) this.add(entry, where);
        for (const task of [...checkpoint.failures, ...checkpoint.pending]) this.add(task, where);
    }

    add(noted: NotedTask, where: string): void {
        for (const file of listOutputFiles(noted)) {
            if (!this.#named.has(file.sha256)) this.#named.set(file.sha256, { bytes: file.bytes, where });
        }
    }

    /** Reads every file that is named. */
    async *namedFiles(): AsyncGenerator<Finding> {
        for (const [sha256, { bytes, where }] of this.#named) {
            const file = makeOutputPath(sha256);
            const why = await findFaultOfOutput(join(this.#dir, file), { path: file, bytes, sha256 });
            if (why !== null) yield { kind: 'output damaged', file, where, why };
        }
    }

    /**
     * Files that nothing names: a run was killed between writing one and committing its entry. Entries may be in places that
     * cannot be parsed (a file that was set aside, a torn line), so a name found anywhere in `files` counts.
     * @param files paths of all files that may name one; missing ones name none
     */
    async *unnamedFiles(files: AsyncIterable<string>): AsyncGenerator<Finding> {
        const open = new Set([...this.#present].filter((name) => !this.#named.has(name)));
        if (open.size === 0) return;
        for await (const file of files) {
            // An unreadable file may name any of them.
            if (!(await strikeNamed(file, open))) return;
        }
        for (const name of open) yield { kind: 'output unnamed', file: makeOutputPath(name) };
    }
}

async function listOutputs(dir: string): Promise<string[]> {
    try {
        return (await readdir(join(dir, OUTPUTS_FOLDER))).filter((name) => OUTPUT_NAME.test(name)).sort();
    } catch (error) {
        if (getIoCode(error) === 'ENOENT' || getIoCode(error) === 'ENOTDIR') return [];
        throw error;
    }
}

/** Null if the file is what its entry says. */
async function findFaultOfOutput(path: string, said: OutputFile): Promise<string | null> {
    try {
        const { bytes, sha256 } = await hashFile(path);
        if (bytes !== said.bytes) return `it has ${bytes} bytes instead of ${said.bytes}`;
        return sha256 === said.sha256 ? null : 'its content was changed';
    } catch (error) {
        return readReason(error);
    }
}

/** Removes the names found in a file. @returns whether the file could be read, or does not exist */
async function strikeNamed(path: string, names: Set<string>): Promise<boolean> {
    try {
        const handle = await openFile(path);
        let rest = '';
        for await (const chunk of handle.createReadStream({ encoding: 'latin1' })) {
            const text = rest + String(chunk);
            for (const [digits] of text.matchAll(/[0-9a-f]{64,}/g)) {
                for (let at = 0; at + 64 <= digits.length; at += 1) names.delete(digits.slice(at, at + 64));
            }
            rest = text.slice(-63);
        }
        return true;
    } catch (error) {
        return getIoCode(error) === 'ENOENT';
    }
}
