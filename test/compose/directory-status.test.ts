import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryReader } from '../../src/compose/directory/directory-reader.js';
import { readStatus } from '../../src/compose/directory/directory-status.js';
import { acquireLock } from '../../src/host/lock.js';
import { estimateStatusEta } from '../../src/report/status.js';

let root = '';
let place = { dir: '', checkpoints: '' };
const notices: string[] = [];

beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'status-'));
    place = { dir: join(root, 'results'), checkpoints: join(root, 'checkpoints', 'results') };
    mkdirSync(place.dir, { recursive: true });
    mkdirSync(place.checkpoints, { recursive: true });
    notices.length = 0;
});
afterEach(() => rmSync(root, { recursive: true }));

const files = () => new DirectoryReader(place, { onNotice: (message) => notices.push(message), again: true });

/** A result file with `done` of `total` solutions, the last of which ended `ago` seconds ago. */
function writeSample(id: string, done: number, total: number, ago = 0): void {
    const started = new Date(Date.now() - ago * 1000 - 1000).toISOString();
    const entries = Array.from({ length: done }, (_, index) => ({
        index,
        result: { accepted: index > 0, verdict: index > 0 ? 'Accepted' : 'WrongAnswer', tests: [] },
        attempts: [
            {
                attempt: 1,
                verdict: index > 0 ? 'Accepted' : 'WrongAnswer',
                started_at: started,
                duration: 1,
                api_used: 'local',
                worker_id: 'thread-1',
            },
        ],
        fingerprint: `v1-sha256-${'0'.repeat(63)}${index}`,
    }));
    const content = {
        id,
        solution_result: entries,
        api_used: 'local',
        worker_id: 'thread-1',
        progress: { completed_solutions: done, total_solutions: total, is_complete: done === total },
    };
    writeFileSync(join(place.dir, `${id}.json`), JSON.stringify(content, null, 4));
}

describe('status', () => {
    test('adds up the files of a directory that nobody holds', async () => {
        writeSample('a', 3, 3);
        writeSample('b', 2, 5);
        writeFileSync(join(place.dir, 'notes.txt'), 'not ours');
        const status = await readStatus(place, files());
        expect(status).toMatchObject({
            total: {
                samples: 2,
                completeSamples: 1,
                groups: { solution: { completed: 5, total: 8 } },
                unexpectedCount: 2,
            },
            incomplete: ['b'],
            holders: [],
            whole: null,
            rate: null,
        });
        expect(Date.now() - Date.parse(status.lastUpdate ?? '')).toBeLessThan(60_000);
    });

    test('shows who holds it, and the rate since then', async () => {
        const lock = await acquireLock({
            checkpointsDir: place.checkpoints,
            dir: place.dir,
            shard: null,
            takeOver: false,
            onNotice: () => undefined,
        });
        try {
            // Ended in the future, so that it falls within the time of the lock, however fast this test is.
            writeSample('a', 4, 10, -1);
            writeSample('old', 4, 4, 3600);
            const status = await readStatus(place, files());
            expect(status.holders).toMatchObject([{ pid: process.pid, shard: null, alive: true }]);
            expect(status.rate).toBeGreaterThan(0);
            expect(status.rate).toBeLessThanOrEqual(4);
            expect(estimateStatusEta(status)).toBeCloseTo(6 / (status.rate ?? 1));
        } finally {
            await lock.release();
        }
        expect((await readStatus(place, files())).holders).toEqual([]);
    });

    test('looks again only at what has changed, and says once what it cannot read', async () => {
        writeSample('a', 1, 2);
        writeFileSync(join(place.dir, 'torn.json'), '{"id": "torn", "solution_result": [');
        const reader = files();
        expect((await readStatus(place, reader)).total.groups['solution']?.completed).toBe(1);
        writeSample('a', 2, 2);
        expect((await readStatus(place, reader)).total.groups['solution']?.completed).toBe(2);
        expect(notices).toHaveLength(1);
        expect(notices[0]).toMatch(/torn\.json is left out: .*; resume-run check says more$/);
    });

    test('tells what runs last wrote about their servers, and no more than can be understood', async () => {
        writeSample('a', 1, 2);
        const endpoint = {
            endpoint: 'http://127.0.0.1:8080/',
            state: 'healthy',
            inFlight: 0,
            done: 3,
            failures: 0,
            meanTime: null,
            coolDowns: 0,
            concurrency: 2,
            calibration: [{ width: 1, perSecond: 6.5 }],
        };
        const live = (name: string, state: unknown): void =>
            writeFileSync(join(place.checkpoints, name), JSON.stringify(state));
        const at = Date.parse('2026-11-21T10:00:00Z');
        live('live.1.json', { format: 1, at, shard: '1/4', endpoints: [endpoint] });
        live('live.2.json', { format: 1, at: 1e300, shard: '2/4', endpoints: [endpoint] });
        live('live.3.json', { format: 1, at, shard: null, endpoints: [{ ...endpoint, done: 'many' }] });
        writeFileSync(join(place.checkpoints, 'live.0.json'), '{"format": 1, "endp');
        // Opening it would block for ever.
        execFileSync('mkfifo', [join(place.checkpoints, 'live.4.json')]);
        expect((await readStatus(place, files())).endpoints).toEqual([
            { ...endpoint, shard: '1/4', at: '2026-11-21T10:00:00.000Z' },
        ]);
        expect(notices).toEqual([]);
    });

    test('needs no checkpoints folder', async () => {
        writeSample('a', 1, 2);
        const checkpoints = join(root, 'a-file');
        writeFileSync(checkpoints, '');
        const reader = new DirectoryReader(
            { ...place, checkpoints },
            { onNotice: () => undefined, again: false },
        );
        const { known } = await reader.readRun();
        const seen: string[] = [];
        for await (const { tally } of reader.read(Number.POSITIVE_INFINITY, known)) seen.push(tally.id);
        expect(seen).toEqual(['a']);
    });

    test('a directory that is not there is the mistake of the user', async () => {
        rmSync(place.dir, { recursive: true });
        await expect(readStatus(place, files())).rejects.toThrow(
            /results: there is no such directory; name it with --dir/,
        );
    });
});
