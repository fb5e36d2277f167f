import { RowFiles } from '../dataset/row-files.js';
import { openScratch, type Scratch } from '../host/scratch.js';

/** The thread that decodes Parquet. */
const PARQUET_WORKER = new URL('../dataset/parquet-worker.js', import.meta.url);

/** Reads dataset files for a run. @param scratch folder of the run, where what is packed is unpacked */
export function openRowFiles(scratch: Scratch): RowFiles {
    return new RowFiles({ scratch: async () => scratch.path, parquetWorker: PARQUET_WORKER });
}

/** The same for those who only look: the scratch folder is made when it is needed, and removed at the end. */
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

/** Apart, as the compiler does not see that `use` may have set it. */
async function removeScratch(scratch: Promise<Scratch> | null): Promise<void> {
    await (await scratch)?.remove();
}
