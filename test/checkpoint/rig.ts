import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore, type FileStoreOptions } from '../../src/checkpoint/file-store.js';
import { FileNames } from '../../src/checkpoint/result-file/names.js';
import type { RunFile } from '../../src/checkpoint/run-directory/run-file.js';
import type { CheckpointStore } from '../../src/checkpoint/store.js';
import type { SampleState } from '../../src/model/checkpoint.js';
import type { Entry } from '../../src/model/entry.js';
import type { Verdict } from '../../src/model/verdict.js';
import { afterTest } from '../rig/endings.js';

/** A folder that is removed after the test. */
export function scratch(): string {
    const dir = mkdtempSync(join(tmpdir(), 'resume-run-checkpoint-'));
    afterTest(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

export const HOLDER = 'h0123456789ab';
export const BY = { apiUsed: 'local', workerId: 'thread-1' };

export interface Place {
    readonly results: string;
    readonly checkpoints: string;
    readonly notices: string[];
    readonly store: (more?: Partial<FileStoreOptions>) => CheckpointStore;
}

/** A results directory with its checkpoints directory. */
export function place(ids: readonly string[] = ['p/1'], root = scratch()): Place {
    const results = join(root, 'results');
    const checkpoints = join(root, 'checkpoints');
    const notices: string[] = [];
    return {
        results,
        checkpoints,
        notices,
        store: (more = {}) =>
            createFileStore({
                dir: results,
                checkpointsDir: checkpoints,
                holder: HOLDER,
                names: new FileNames(ids),
                onNotice: (message) => notices.push(message),
                ...more,
            }),
    };
}

export function state(
    id: string,
    totals: SampleState['totals'],
    more: Partial<SampleState> = {},
): SampleState {
    return {
        id,
        totals,
        kept: [],
        superseded: [],
        failures: [],
        pending: [],
        skipped: [],
        computedLimits: null,
        retiredRevision: 0,
        origin: 'new',
        dirty: false,
        ...more,
    };
}

export function entry(index: number, verdict: Verdict = 'Accepted', more: Partial<Entry> = {}): Entry {
    return {
        index,
        language: 'PYTHON3',
        solution: `print(${index})`,
        result: {
            accepted: verdict === 'Accepted',
            verdict,
            tests: [
                {
                    passed: verdict === 'Accepted',
                    ...(verdict === 'Accepted' ? {} : { verdict }),
                    cpu_time: 0.012,
                    wall_time: 0.014,
                    memory: 9437184,
                    exec_info: { status: 'Success' },
                },
            ],
        },
        limits: { time: 1, memory: 1024, output: 2048 },
        attempts: [
            {
                attempt: 1,
                verdict,
                started_at: '2026-11-21T09:00:00.000Z',
                duration: 0.5,
                api_used: 'local',
                worker_id: 'thread-1',
                sandbox: 'bwrap',
            },
        ],
        fingerprint: `v1-sha256-${index}`,
        ...more,
    };
}

/** A run.json with one request to run again. */
export const runFile = (request = '*'): RunFile => ({
    version: 1,
    created_at: '2026-11-21T09:00:00.000Z',
    updated_at: '2026-11-21T09:00:00.000Z',
    datasets: [{ path: '/data/problems.jsonl', format: 'code-contests' }],
    options: { timeout: 20, limits: 'own', checker: null },
    totals: { samples: 2, tasks: 9, groups: { solution: 9 } },
    versions: { 'resume-run': '0.1.0' },
    reruns: [{ request, at: '2026-11-21T09:00:00.000Z', only: [] }],
});
