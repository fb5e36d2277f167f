import { isUtf8 } from 'node:buffer';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { ContentFolder } from '../host/content-folder.js';
import type { OutputFile, RunResult } from '../model/entry.js';
import { OUTPUTS_FOLDER, makeOutputPath } from '../model/output-file.js';
import { cutText, type Output } from './cut-text.js';
import type { ExecDescriptor } from './exec-kind.js';
import { KEPT_INLINE, type RunReport } from './sandbox/box.js';

type KeptOutput = Pick<
    RunResult,
    'stdout' | 'stderr' | 'stdout_cut' | 'stderr_cut' | 'stdout_file' | 'stderr_file'
>;

/** One stream in stored form: as text, or in a file. */
interface KeptStream {
    readonly text?: string;
    readonly file?: OutputFile;
    /** Total bytes printed, if more than were kept. */
    readonly cut?: number;
}

/**
 * Stores what commands print: as text in the entry if it is short and can be represented without loss, otherwise in a file of the
 * results directory, which is durable before anything refers to it.
 */
export class OutputKeeper {
    readonly #limit: number;
    readonly #folder: ContentFolder;

    constructor({ outputLimit, dir, holder }: Pick<ExecDescriptor, 'outputLimit' | 'dir' | 'holder'>) {
        this.#limit = outputLimit;
        this.#folder = new ContentFolder(join(dir, OUTPUTS_FOLDER), holder);
    }

    /** @throws WriteError if a file cannot be written */
    async keep(report: RunReport): Promise<KeptOutput> {
        const errors = report.stderrFile === null ? report.stderr : { path: report.stderrFile };
        const out = await this.#keepStream(report.stdout, report.stdoutBytes);
        const err = await this.#keepStream(errors, report.stderrBytes);
        return {
            ...(out.text === undefined ? {} : { stdout: out.text }),
            ...(err.text === undefined ? {} : { stderr: err.text }),
            ...(out.file === undefined ? {} : { stdout_file: out.file }),
            ...(err.file === undefined ? {} : { stderr_file: err.file }),
            ...(out.cut === undefined ? {} : { stdout_cut: out.cut }),
            ...(err.cut === undefined ? {} : { stderr_cut: err.cut }),
        };
    }

    async #keepStream(output: Output, printed: number): Promise<KeptStream> {
        const limit = this.#limit;
        if (Buffer.isBuffer(output) && Math.min(output.length, limit) <= KEPT_INLINE) {
            const { text, cutFrom } = cutText(output, limit, printed);
            const isWhole = cutFrom === null ? isUtf8(output) : !text.includes('\uFFFD');
            if (isWhole) return { text, ...(cutFrom === null ? {} : { cut: cutFrom }) };
        }
        const { sha256, bytes } = await this.#folder.add(
            Buffer.isBuffer(output) ? output.subarray(0, limit) : output,
            limit,
        );
        // The next command needs its space on the scratch disk.
        if (!Buffer.isBuffer(output)) await truncate(output.path).catch(() => undefined);
        const file = { path: makeOutputPath(sha256), bytes, sha256 };
        return { file, ...(printed > bytes ? { cut: printed } : {}) };
    }
}
