import { resolve } from 'node:path';
import { openRecordSources } from '../compose/record-sources.js';
import { print, warn } from '../compose/output.js';
import { WriteError } from '../host/write-error.js';
import { count, counted } from '../report/format.js';
import { changesOf, newSourceCounts, type SourceCounts } from '../results/collect/source.js';
import { storageLine } from '../results/collect/storage-line.js';
import type { CommitSummary, StorageFormat } from '../results/result-store.js';
import { openStore } from '../results/store/open-store.js';
import { type ExitCode, UserError } from '../util/user-error.js';

interface CollectValues {
    readonly from: readonly string[];
    readonly database: string;
    readonly storage: StorageFormat | null;
    readonly checkpoints: string | null;
    readonly 'temp-dir': string;
    readonly 'take-over': boolean;
    readonly json: boolean;
}

/** What a collection did; `--json` prints it. */
interface CollectResult extends CommitSummary {
    readonly database: string;
    readonly storage: StorageFormat;
    readonly generation: number;
    readonly files: number;
    readonly skipped: SourceCounts['skipped'];
    /** Seconds. */
    readonly duration: number;
}

export async function runCollect(
    values: CollectValues,
    positionals: readonly string[],
    cwd: string,
): Promise<ExitCode> {
    const paths = [...values.from, ...positionals.map((path) => resolve(cwd, path))];
    const counts = newSourceCounts();
    const sources = await openRecordSources(paths, {
        checkpoints: values.checkpoints,
        counts,
        onNotice: warn,
    });
    const result = await explainFailure(async () => {
        const started = performance.now();
        const store = await openStore({
            dir: values.database,
            storage: values.storage,
            takeOver: values['take-over'],
            onNotice: warn,
        });
        try {
            if (!values.json) print(storageLine(store.storage));
            const summary = await store.commit(changesOf(sources, counts));
            return {
                ...summary,
                database: values.database,
                storage: store.storage,
                generation: store.generation,
                files: counts.files,
                skipped: counts.skipped,
                duration: (performance.now() - started) / 1000,
            };
        } finally {
            await store.close();
        }
    });
    show(result, counts, values.json);
    return 0;
}

/** A collection that fails leaves its sources as they are. */
async function explainFailure<T>(collect: () => Promise<T>): Promise<T> {
    try {
        return await collect();
    } catch (error) {
        if (!(error instanceof UserError) && !(error instanceof WriteError)) throw error;
        const code = error instanceof UserError ? error.exitCode : 4;
        throw new UserError(`❌ 结果收集失败: ${error.message} (collecting failed)`, code, { cause: error });
    }
}

function show(result: CollectResult, counts: SourceCounts, json: boolean): void {
    if (json) {
        print(JSON.stringify(result));
        return;
    }
    if (counts.records + counts.retirements === 0) {
        print('⚠️ 没有待提交的结果 (there is nothing to collect)');
        return;
    }
    const { added, replaced, duplicates, retired } = result;
    const rest = [
        replaced > 0 ? `${count(replaced)} replaced` : '',
        retired > 0 ? `${count(retired)} retired` : '',
        duplicates > 0 ? `${count(duplicates)} known already` : '',
    ].filter((part) => part !== '');
    print([`${counted(added, 'record')} added`, ...rest].join(', '));
    print(`from ${counted(result.files, 'file')} into ${result.database} (generation ${result.generation})`);
}
