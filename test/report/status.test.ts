import { describe, expect, test } from 'vitest';
import {
    addUp,
    type DirectoryStatus,
    estimateStatusEta,
    renderStatus,
    renderStatusJson,
} from '../../src/report/status.js';
import { PLAIN } from '../../src/report/style.js';
import { files, someSamples } from './fixtures.js';

const PAGE = { width: 80, style: PLAIN };

describe('status', () => {
    const statusOf = async (more: Partial<DirectoryStatus> = {}): Promise<DirectoryStatus> => ({
        dir: 'results',
        at: '2026-11-21T10:00:00Z',
        datasets: ['problems.jsonl'],
        executor: 'judge',
        whole: { samples: 20_000, tasks: 200_000 },
        ...(await addUp(files(someSamples()))),
        holders: [{ host: 'box', pid: 4711, since: '2026-11-21T09:00:00Z', shard: null, alive: true }],
        lastUpdate: '2026-11-21T09:59:58Z',
        rate: 12.3,
        endpoints: [],
        ...more,
    });

    test('of shards on servers: what each found of how many requests at once are best', async () => {
        const told = {
            at: '2026-11-21T09:59:55Z',
            state: 'healthy',
            inFlight: 1,
            done: 40,
            failures: 0,
            meanTime: 1.25,
            coolDowns: 0,
        } as const;
        const endpoints = [
            {
                ...told,
                shard: '0/2',
                endpoint: 'http://10.0.0.1:8080/',
                concurrency: 2,
                calibration: [
                    { width: 1, perSecond: 6.68 },
                    { width: 2, perSecond: 12.5 },
                    { width: 4, perSecond: 12.1 },
                ],
            },
            { ...told, shard: '1/2', endpoint: 'http://10.0.0.2:8080/\u001b[2J', concurrency: 4 },
        ];
        const status = await statusOf({ endpoints });
        expect(renderStatus(status, PAGE).replace(/^.*(?=Endpoints of shard 0)/s, '')).toMatchInlineSnapshot(`
          "Endpoints of shard 0/2, 5.0 s ago
          endpoint              done  failures   mean  at once  cool-downs  state    hello-worlds
          http://10.…0.1:8080/    40         0  1.3 s        2           0  healthy  6.7/s … at 4

          Endpoints of shard 1/2, 5.0 s ago
          endpoint                     done  failures   mean  at once  cool-downs  state
          http://10.0.0…:8080/\\x1b[2J    40         0  1.3 s        4           0  healthy
          "
        `);
        expect(JSON.parse(renderStatusJson(status))).toMatchObject({ endpoints });
    });

    test('while a run is going on', async () => {
        expect(renderStatus(await statusOf(), PAGE)).toMatchInlineSnapshot(`
          "results: 53 of 199,998 tasks finished (0.1 %), 1 of 20,000 samples complete
          dataset problems.jsonl
          running: process 4711 on box, started 1h 00m ago
          last result 2.0 s ago (2026-11-21T09:59:58Z)
          12.3/s, ETA 4h 30m

          TPR  91.7 %  22 of 24 solutions accepted            0 failed, 2 skipped, 4 open
          TNR  93.1 %  27 of 29 incorrect solutions rejected  1 failed, 0 skipped

          verdicts             AC  WA  TLE  RTE  CE
          solutions            22   1    1    ·   ·
          incorrect solutions   2  23    ·    3   1

          Unexpected: 4 verdicts
            Codeforces/1575/A  solution 3                              WrongAnswer
            Codeforces/1575/A  solution 11           submissi…slow.py  TimeLimitExceeded
            Codeforces/1575/A  incorrect_solution 0                    Accepted
            Codeforces/1575/A  incorrect_solution 9                    Accepted

          Within 10 % of the time limit: 1 verdict
            Codeforces/1575/A  solution 8

          Failed: 1 task, retried at the next start
            Codeforces/1575/A  incorrect_solution 5    judge-error
              the checker exited with 3: no testlib.h

          Skipped: 2 tasks
            2  no toolchain for KOTLIN: kotlinc not found

          Begun, not complete: 2 samples
            Codeforces/1575/A
            p10-中文題目
          "
        `);
    });

    test('of what a dead run left, and of a shard elsewhere', async () => {
        const holders = [
            { host: 'box', pid: 1, since: '2026-11-21T09:00:00Z', shard: null, alive: false },
            { host: 'other', pid: 2, since: '2026-11-21T09:30:00Z', shard: '1/4', alive: null },
        ];
        const text = renderStatus(await statusOf({ holders, rate: null }), PAGE);
        expect(text).toContain(
            'died without releasing the directory: process 1 on box, started 1h 00m ago\n',
        );
        expect(text).toContain(
            'held from another host: process 2 on other on shard 1/4, started 30m 00s ago\n',
        );
        expect(text).not.toContain('ETA');
    });

    test('without a run, a dataset or any result', async () => {
        const idle = { holders: [], rate: null, lastUpdate: null, whole: null, datasets: [] };
        expect(renderStatus(await statusOf(idle), PAGE)).toContain(
            'nothing is running; to resume: resume-run --dir results\n',
        );
        const nothing = await statusOf({ ...idle, ...(await addUp(files([]))) });
        expect(renderStatus(nothing, PAGE)).toBe(
            'results: 0 of 0 tasks finished (-), 0 of 0 samples complete\n',
        );
    });

    test('as JSON', async () => {
        const status = await statusOf();
        expect(JSON.parse(renderStatusJson(status))).toMatchObject({
            tasks: { finished: 53, all: 199_998, open: 4 },
            tpr: { hits: 22, judged: 24 },
            eta: (199_998 - 53) / 12.3,
            incompleteCount: 2,
            incomplete: ['Codeforces/1575/A', 'p10-\u4e2d\u6587\u984c\u76ee'],
        });
        expect(estimateStatusEta({ ...status, rate: 0 })).toBeNull();
    });
});
