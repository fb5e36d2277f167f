import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TaskOfFile {
    readonly fingerprint: string;
    readonly verdict?: string;
    readonly revision?: number;
    readonly result?: object;
}

/** Writes a result file with one finished task for each of `tasks`, and returns its path. */
export function writeResultFile(
    dir: string,
    id: string,
    tasks: readonly TaskOfFile[],
    more: object = { run: 'run-1' },
): string {
    mkdirSync(dir, { recursive: true });
    const entries = tasks.map(({ fingerprint, verdict = 'Accepted', revision, result }, index) => ({
        index,
        result: { accepted: verdict === 'Accepted', verdict, ...result },
        attempts: [
            {
                attempt: 1,
                verdict,
                started_at: '2026-11-29T01:02:03.000Z',
                duration: 1.5,
                api_used: 'local',
                worker_id: 'thread-1',
            },
        ],
        fingerprint,
        ...(revision === undefined ? {} : { revision }),
    }));
    const path = join(dir, `${id.replaceAll('/', '_')}.json`);
    const progress = { completed_mains: tasks.length, total_mains: tasks.length, is_complete: true };
    writeFileSync(
        path,
        JSON.stringify(
            { id, main_result: entries, api_used: 'local', worker_id: 'thread-1', progress, ...more },
            null,
            4,
        ),
    );
    return path;
}
