import { RowFiles } from '../dataset/row-files.js';
import { openScratch, type Scratch } from '../host/scratch.js';

/** The thread that decodes Parquet. */
const PARQUET_WORKER = new URL('../dataset/parquet-worker.js', import.meta.url);

/** Reads dataset files for a run. @param scratch folder of the run, for unpacking archives */
export function openRowFiles(scratch: Scratch): RowFiles {
    return new RowFiles({ scratch: async () => scratch.path, parquetWorker: PARQUET_WORKER });
}

/** Like `openRowFiles`, for readers without a run: the scratch folder is created when it is needed, and removed at the end. */
export async function withRowFiles<T>(use: (files: RowFiles) => Promise<T>): Promise<T> {
    let scratch: Promise<Scratch> | null = null;
    const files = new RowFiles({
        scratch: async () => (await (scratch ??= openScratch())).path,
        parquetWorker: PARQUET_WORKER,
    });
    try {
        return await use(files);
    } finally {
        await files.close();
        await removeScratch(scratch);
    }
}

/** A separate function, as the compiler does not see that `use` may have set the variable. */
async function removeScratch(scratch: Promise<Scratch> | null): Promise<void> {
    await (await scratch)?.remove();
}
