import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Cli } from '../rig/cli.js';
import { type Cut, Namespaces, NEAR, whyNoNamespaces } from '../rig/namespaces.js';
import { QueueScene, until } from '../rig/queue-scene.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

/*
 * A worker in a network namespace of its own, whose link to Redis is cut while it runs tasks. The coordinator and another worker
 * are on the side of Redis. Each row leaves a mark when it runs.
 */

const skipped = NO_REDIS ?? whyNoNamespaces();
if (skipped !== null) console.error(`cut links of a queue: skipped, ${skipped}`);

const ROWS = 16;
/** Concurrent tasks of each worker. */
const SLOTS = 2;
const PORT = 6379;

/** Shorter than the lock of these workers, which is 4 s. */
const SHORT_CUT_MS = 1500;

interface CutScene {
    readonly scene: QueueScene;
    readonly run: Cli;
    readonly far: Cli;
    /** Rows that the far worker has begun. */
    readonly begun: readonly number[];
    readonly mend: () => void;
    readonly end: () => Promise<void>;
}

/** Cuts the link of the only worker while its slots are busy. */
async function cutOff(how: Cut): Promise<CutScene> {
    const namespaces = await Namespaces.open();
    const rows = Array.from({ length: ROWS }, () => ({ do: 'sleep', ms: 1500 }));
    const listen = ['--port', String(PORT), '--bind', NEAR, '--protected-mode', 'no'];
    const scene = new QueueScene(rows, listen, namespaces.enter('near'));
    const end = async (): Promise<void> => {
        await scene.end();
        await namespaces.end();
    };
    try {
        await scene.open();
        const far = scene.quickWorker({
            through: namespaces.enter('far'),
            env: { REDIS_URL: `redis://${NEAR}:${PORT}` },
        });
        const run = scene.coordinator();
        const listBegun = (): number[] => scene.marks().flatMap((count, row) => (count > 0 ? [row] : []));
        await until('the far worker is busy', () => listBegun().length === SLOTS);
        namespaces.cut(how);
        return { scene, run, far, begun: listBegun(), mend: () => namespaces.mend(how), end };
    } catch (error) {
        await end();
        throw error;
    }
}

/** The processes whose answers were committed, by row. */
function listAnswering(stdout: string): string[] {
    return stdout
        .split('\n')
        .filter((line) => line.includes('"type":"task-finished"'))
        .map((line) => (JSON.parse(line) as { readonly workerId: string }).workerId);
}

const isOf = ({ child }: Cli, workerId: string): boolean => workerId.includes(`-${child.pid}-`);

for (const how of ['down', 'half-open'] as const) {
    it.skipIf(skipped !== null)(
        `tasks of a worker whose link is ${how} run elsewhere, and it takes others when the link is mended`,
        { timeout: patience(60_000) },
        async () => {
            const { scene, run, far, begun, mend, end } = await cutOff(how);
            try {
                const near = scene.quickWorker();
                await until('its tasks run elsewhere', () => begun.every((row) => scene.marks()[row] === 2));
                mend();
                const { code, stdout, stderr } = await run.result;
                expect(code, stderr).toBe(0);
                expect(scene.marks()).toEqual(
                    Array.from({ length: ROWS }, (_, row) => (begun.includes(row) ? 2 : 1)),
                );
                const answering = listAnswering(stdout);
                expect(answering).toHaveLength(ROWS);
                // Answers that it finished while it was cut off no longer count; later ones do.
                expect(answering.some((id) => isOf(far, id))).toBe(true);
                expect(answering.filter((id) => isOf(near, id)).length).toBeGreaterThanOrEqual(SLOTS);
            } finally {
                await end();
            }
        },
    );

    it.skipIf(skipped !== null)(
        `a link that is ${how} for less than the lock costs nothing`,
        { timeout: patience(60_000) },
        async () => {
            const { scene, run, mend, end } = await cutOff(how);
            try {
                scene.quickWorker();
                await wait(SHORT_CUT_MS);
                mend();
                const { code, stdout, stderr } = await run.result;
                expect(code, stderr).toBe(0);
                expect(scene.marks()).toEqual(Array(ROWS).fill(1));
                expect(listAnswering(stdout)).toHaveLength(ROWS);
            } finally {
                await end();
            }
        },
    );
}
