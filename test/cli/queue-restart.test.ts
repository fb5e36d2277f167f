import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { eventSeen } from '../crash/processes.js';
import { killGroup, readResults } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { QueueScene, until } from '../rig/queue-scene.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

if (NO_REDIS !== null)
    console.error(`starts of a run over a queue, one after the other: skipped, ${NO_REDIS}`);

const SET_CLOCK = pathToFileURL(join(import.meta.dirname, '../crash/set-clock.mjs')).href;

const WORKER = ['worker', '-j', '2', '--executor', 'module', '--allow', 'exec'];

/** The maker of each result, for one sample's tasks. */
const readMakers = (dir: string): unknown[] =>
    [...readResults(dir).values()].flatMap((result) =>
        (result['main_result'] as readonly { readonly result: { readonly by: unknown } }[]).map(
            ({ result: { by } }) => by,
        ),
    );

/** A scene whose rows are handled by its own modules. */
async function openScene(rows: number): Promise<{
    readonly scene: QueueScene;
    readonly writeModule: (name: string, code: string) => void;
    readonly argv: (module: string) => string[];
}> {
    const scene = await new QueueScene(Array.from({ length: rows }, () => ({}))).open();
    return {
        scene,
        writeModule: (name, code) => writeFileSync(join(scene.cwd, name), code),
        argv: (module) =>
            ['rows.jsonl', '--executor', 'module', '--module', module, '--mode', 'queue'].concat(
                '--dir results --json'.split(' '),
            ),
    };
}

it.skipIf(NO_REDIS !== null)(
    'does what the last start was told, with options that were changed, while workers go on',
    { timeout: patience(60_000) },
    async ({ onTestFinished }) => {
        const { scene, writeModule, argv } = await openScene(6);
        onTestFinished(() => scene.end());
        const [begun, ended] = [join(scene.cwd, 'begun'), join(scene.cwd, 'ended')];
        writeModule('a.mjs', "export default () => ({ by: 'a' });\n");
        writeModule('b.mjs', "export default () => ({ by: 'b' });\n");
        writeModule(
            'slow.mjs',
            `import { writeFileSync } from 'node:fs';
            export default (_task, { signal }) => new Promise((resolve) => {
                writeFileSync(${JSON.stringify(begun)}, '');
                signal.addEventListener('abort', () => {
                    writeFileSync(${JSON.stringify(ended)}, '');
                    resolve({ by: 'slow' });
                });
            });\n`,
        );
        scene.start(WORKER);
        const { cwd, env } = scene;
        for (const name of ['a', 'b']) {
            const { code, stderr } = await callCli(argv(`${name}.mjs`), { cwd, env });
            expect(code, stderr).toBe(0);
            expect(readMakers(join(cwd, 'results'))).toEqual(Array.from({ length: 6 }, () => name));
        }

        const killed = scene.start(argv('slow.mjs'));
        await until('slow tasks run', () => existsSync(begun));
        killGroup(killed.child);
        const { code, stderr } = await callCli(argv('a.mjs'), { cwd, env });
        expect(code, stderr).toBe(0);
        expect(readMakers(join(cwd, 'results'))).toEqual(Array.from({ length: 6 }, () => 'a'));
        // The tasks that the killed start began are no longer wanted.
        await until('slow tasks are ended', () => existsSync(ended));

        // The same command with an edited module.
        writeModule('a.mjs', "export default () => ({ by: 'a, edited' });\n");
        expect((await callCli([...argv('a.mjs'), '--rerun', 'all'], { cwd, env })).code).toBe(0);
        expect(new Set(readMakers(join(cwd, 'results')))).toEqual(new Set(['a, edited']));
    },
);

it.skipIf(NO_REDIS !== null)(
    'refuses a copy of a results directory while its run goes on over the same Redis, and takes it up when that was killed',
    { timeout: patience(60_000) },
    async ({ onTestFinished }) => {
        const { scene, writeModule, argv } = await openScene(4);
        onTestFinished(() => scene.end());
        const { cwd, env } = scene;
        const gate = join(cwd, 'gate');
        writeModule(
            'gated.mjs',
            `import { existsSync } from 'node:fs';
            export default async ({ index }) => {
                while (index > 0 && !existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 50));
                return { by: 'gated' };
            };\n`,
        );
        scene.start(WORKER);
        const first = scene.start(argv('gated.mjs'));
        await eventSeen(first, 'task-finished', 1);
        cpSync(join(cwd, 'results'), join(cwd, 'copy'), { recursive: true });
        const copied = [...argv('gated.mjs').slice(0, -3), '--dir', 'copy', '--json'];
        const { code, stderr } = await callCli(copied, { cwd, env });
        expect(code).toBe(3);
        expect(stderr).toMatch(
            new RegExp(
                `process ${first.child.pid} on .* already coordinates this run.*copy of its results directory`,
            ),
        );
        killGroup(first.child);
        writeFileSync(gate, '');
        const beganAt = performance.now();
        const again = await callCli(copied, { cwd, env });
        expect(again.code, again.stderr).toBe(0);
        expect(performance.now() - beganAt).toBeLessThan(patience(8000));
        expect(readMakers(join(cwd, 'copy'))).toHaveLength(4);
    },
);

it.skipIf(NO_REDIS !== null)(
    'shows workers and dates results by one clock where those of machines are hours apart',
    { timeout: patience(60_000) },
    async ({ onTestFinished }) => {
        const { scene, writeModule, argv } = await openScene(8);
        onTestFinished(() => scene.end());
        const { cwd, env } = scene;
        writeModule(
            'slow.mjs',
            "export default () => new Promise((resolve) => setTimeout(resolve, 300, { by: 'it' }));\n",
        );
        const started = [-3 * 3600, 3 * 3600].map((seconds) =>
            scene.start(WORKER, {
                env: { ...env, NODE_OPTIONS: `--import=${SET_CLOCK}`, CRASH_CLOCK: String(seconds) },
            }),
        );
        const listWorkers = async (): Promise<readonly { readonly pid: number; readonly seen: number }[]> =>
            JSON.parse((await callCli(['workers', '--json'], { cwd, env })).stdout) as [];
        await expect
            .poll(async () => (await listWorkers()).map(({ pid }) => String(pid)).sort(), {
                timeout: patience(20_000),
            })
            .toEqual(started.map(({ child }) => String(child.pid)).sort());
        for (const { seen } of await listWorkers())
            expect(Math.abs(seen - Date.now())).toBeLessThan(patience(10_000));

        const beganAt = Date.now();
        for (const more of [[], ['--rerun', 'all']]) {
            const { code, stderr } = await callCli([...argv('slow.mjs'), ...more], { cwd, env });
            expect(code, stderr).toBe(0);
        }
        const attempts = [...readResults(join(cwd, 'results')).values()].flatMap((result) =>
            (
                result['main_result'] as readonly {
                    readonly attempts: readonly { readonly started_at: string; readonly worker_id: string }[];
                }[]
            ).flatMap((entry) => entry.attempts),
        );
        // Both worked.
        expect(new Set(attempts.map(({ worker_id: id }) => id.split('-').at(-3)))).toEqual(
            new Set(started.map(({ child }) => String(child.pid))),
        );
        for (const { started_at: at } of attempts) {
            expect(Date.parse(at)).toBeGreaterThanOrEqual(beganAt - 1000);
            expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
        }
        // Tasks that were run again stay done.
        const third = await callCli(argv('slow.mjs'), { cwd, env });
        expect(third.stdout).not.toContain('task-finished');
    },
);
