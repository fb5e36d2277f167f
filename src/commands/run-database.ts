import { resolve } from 'node:path';
import { print, printRaw, warn } from '../compose/output.js';
import { count, formatBytes, formatCount } from '../report/format.js';
import type { StorageFormat } from '../results/result-store.js';
import { backUpDatabase } from '../results/store/backup.js';
import { timeForName } from '../results/store/copy-files.js';
import { type Manifest, readManifest } from '../results/store/manifest.js';
import { openStore } from '../results/store/open-store.js';
import { restoreDatabase } from '../results/store/restore.js';
import { writeMasterTree } from '../results/tree/write-tree.js';
import { escapeLine } from '../util/printable.js';
import { type ExitCode, UserError } from '../util/user-error.js';

interface DatabaseValues {
    readonly database: string;
    readonly storage: StorageFormat | null;
    readonly 'take-over': boolean;
    readonly json: boolean;
}

const ACTIONS = ['info', 'compact', 'backup', 'restore'] as const;

export async function runDatabase(
    values: DatabaseValues,
    [word, folder]: readonly string[],
    cwd: string,
): Promise<ExitCode> {
    const action = ACTIONS.find((one) => one === word);
    if (action === undefined) throw new UserError(`database ${word}: expected ${ACTIONS.join(', ')}`);
    if (folder !== undefined && (action === 'info' || action === 'compact'))
        throw new UserError(`database ${action} takes no folder: name the database with --database`);
    const path = folder === undefined ? null : resolve(cwd, folder);
    switch (action) {
        case 'info':
            return showInfo(values);
        case 'compact':
            return compact(values);
        case 'backup':
            return backUp(values, path ?? `${values.database}.backup-${timeForName()}`);
        case 'restore':
            if (path === null)
                throw new UserError(
                    'database restore needs the folder of a backup, such as database.backup-...',
                );
            return restore(values, path);
    }
}

async function showInfo({ database, json }: DatabaseValues): Promise<ExitCode> {
    const manifest = await readManifest(database);
    if (manifest === null)
        throw new UserError(`there is no database in ${database}: create one with \`resume-run collect\``);
    const info = buildInfo(database, manifest);
    if (json) {
        printRaw(JSON.stringify(info));
        return 0;
    }
    print(escapeLine(`Database    ${database}`));
    print(
        `Records     ${count(info.records)} in ${formatCount(info.parts, 'part')}, ${formatBytes(info.bytes)}`,
    );
    print(`Storage     ${info.storage}${info.mixed ? ' (some parts are in the other format)' : ''}`);
    print(`Retired     ${count(info.retired)}`);
    print(
        `Earlier     ${formatCount(info.aggregate_cells, 'cell')} of ${formatCount(info.aggregates, 'database')}`,
    );
    print(`Generation  ${info.generation}, written ${info.written_at}`);
    return 0;
}

function buildInfo(database: string, manifest: Manifest) {
    const { parts, retirements, aggregates, generation, storage, created_at, written_at } = manifest;
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    return {
        database,
        generation,
        storage,
        created_at,
        written_at,
        records: sum(parts.map((part) => part.records)),
        parts: parts.length,
        bytes: sum(parts.map((part) => part.bytes)),
        mixed: parts.some((part) => part.codec !== storage),
        retired: sum(retirements.map((file) => file.records)),
        aggregates: aggregates.length,
        aggregate_cells: sum(aggregates.map((file) => file.cells)),
    };
}

async function compact(values: DatabaseValues): Promise<ExitCode> {
    const { database: dir, storage, 'take-over': takeOver, json } = values;
    const before = await readManifest(dir);
    if (before === null) throw new UserError(`there is no database in ${dir}: nothing to compact`);
    const store = await openStore({ dir, storage, takeOver, onNotice: warn });
    try {
        await store.compact();
        const after = store.manifest.parts.length;
        const generation = store.generation;
        if (json) printRaw(JSON.stringify({ database: dir, before: before.parts.length, after, generation }));
        else
            print(
                `${formatCount(before.parts.length, 'part')} joined into ${count(after)} (generation ${generation})`,
            );
    } finally {
        await store.close();
    }
    return 0;
}

async function backUp({ database, json }: DatabaseValues, target: string): Promise<ExitCode> {
    const { generation } = await backUpDatabase(database, target);
    if (json) printRaw(JSON.stringify({ database, backup: target, generation }));
    else print(escapeLine(`generation ${generation} of ${database} copied to ${target}`));
    return 0;
}

async function restore(values: DatabaseValues, source: string): Promise<ExitCode> {
    const { database, 'take-over': takeOver, json } = values;
    const { manifest, aside } = await restoreDatabase(database, source, {
        takeOver,
        onNotice: warn,
        writeTree,
    });
    const { generation } = manifest;
    if (json) {
        printRaw(JSON.stringify({ database, backup: source, generation, aside }));
        return 0;
    }
    print(escapeLine(`restored ${database} to generation ${generation} of ${source}`));
    if (aside !== null) print(escapeLine(`the previous database is in ${aside}`));
    print('to add results collected later: `resume-run collect --from <results>`');
    return 0;
}

/** Without DuckDB a Parquet database can still be restored; it then keeps the tree of the backup. */
async function writeTree(dir: string): Promise<void> {
    try {
        await writeMasterTree(dir);
    } catch (error) {
        if (!(error instanceof UserError) || error.code !== 'RESUME_RUN_MISSING_PACKAGE') throw error;
    }
}
