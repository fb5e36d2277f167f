import { spawnSync } from 'node:child_process';
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    symlinkSync,
    truncateSync,
    writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeHolderId, makeStagingName } from '../../src/host/staging-name.js';
import { runs } from '../rig/long.js';
import { callCli } from '../rig/in-process.js';
import { tempDir } from '../rig/cli.js';

/** What can happen to a result file between two starts. */
const HARMS: Readonly<Record<string, (file: string, dir: string) => void>> = {
    garbage: (file) => writeFileSync(file, 'x'),
    torn: (file) => truncateSync(file, 40),
    gone: (file) => rmSync(file),
    fifo: (file) => (rmSync(file), void spawnSync('mkfifo', [file])),
    folder: (file) => (rmSync(file), mkdirSync(file)),
    circle: (file) => (rmSync(file), symlinkSync(file, file)),
    moved: (file, dir) => renameSync(file, join(dir, 'mine.json')),
    copied: (file, dir) => copyFileSync(file, join(dir, 'copy.json')),
    'garbage elsewhere': (_, dir) => writeFileSync(join(dir, 'zzz.json'), 'x'),
    'fifo elsewhere': (_, dir) => void spawnSync('mkfifo', [join(dir, 'pipe.json')]),
    'left over': (_, dir) => writeFileSync(join(dir, makeStagingName('p_1.json', makeHolderId())), 'x'),
    'of a removed sample': (file, dir) =>
        writeFileSync(
            join(dir, 'p_9.json'),
            readFileSync(file, 'utf8').replaceAll('p/1', 'p/9').replaceAll('p/2', 'p/9'),
        ),
    'more than there is': (file) =>
        writeFileSync(
            file,
            readFileSync(file, 'utf8').replace('"total_iterations": 2', '"total_iterations": 1'),
        ),
    'said to be open': (file) =>
        writeFileSync(
            file,
            readFileSync(file, 'utf8').replace('"is_complete": true', '"is_complete": false'),
        ),
};

interface Announced {
    readonly kind: string;
    readonly file?: string;
    readonly files?: readonly string[];
    readonly id?: string;
    readonly isOfSample?: boolean | null;
}

const IDS = ['p/1', 'p/2', 'p/3'];
const fileOf = (id: string): string => `${id.replace('/', '_')}.json`;

describe('what check announces', () => {
    it('is what the next run does', async () => {
        const cwd = tempDir();
        const ran = join(cwd, 'ran');
        writeFileSync(
            join(cwd, 'mark.mjs'),
            `import { appendFileSync } from 'node:fs';
export default (task) => (appendFileSync(${JSON.stringify(ran)}, task.id + '\\n'), { accepted: true });\n`,
        );
        writeFileSync(
            join(cwd, 'rows.jsonl'),
            IDS.map((id) => `${JSON.stringify({ id, groups: { iteration: [1, 2] } })}\n`).join(''),
        );
        const run = () =>
            callCli(['rows.jsonl', '-q', '--mode', 'async', '--executor', 'module', '--module', 'mark.mjs'], {
                cwd,
            });
        const results = join(cwd, 'results');
        const scene = fc.array(
            fc.tuple(fc.constantFrom('p/1', 'p/2'), fc.constantFrom(...Object.keys(HARMS))),
            {
                minLength: 1,
                maxLength: 2,
            },
        );
        await fc.assert(
            fc.asyncProperty(scene, async (harms) => {
                rmSync(results, { recursive: true, force: true });
                rmSync(join(cwd, 'checkpoints'), { recursive: true, force: true });
                expect((await run()).code).toBe(0);
                for (const [id, harm] of new Map(harms)) HARMS[harm]?.(join(results, fileOf(id)), results);
                const before = readdirSync(results);
                writeFileSync(ran, '');

                const checked = await callCli(['check', '--json'], { cwd });
                const announced = checked.stdout
                    .split('\n')
                    .filter(Boolean)
                    .map((line) => JSON.parse(line) as Announced);
                expect(checked.stderr).toBe('');
                expect(await run()).toMatchObject({ code: 0 });

                const after = readdirSync(results);
                const again = new Set(readFileSync(ran, 'utf8').split('\n').filter(Boolean));
                const expectedAgain = IDS.filter(
                    (id) =>
                        !before.includes(fileOf(id)) ||
                        announced.some(({ kind, file }) => kind === 'unparseable' && file === fileOf(id)),
                );
                expect([...again].sort()).toEqual(expectedAgain);
                for (const { kind, file = '', isOfSample } of announced) {
                    const isMoved = after.some((name) => name.startsWith(`${file}.corrupt-`));
                    if (kind === 'unparseable')
                        expect([kind, file, isMoved]).toEqual([kind, file, isOfSample]);
                    if (kind === 'leftover') expect(after).not.toContain(file);
                    if (kind === 'removed sample' || kind === 'wrong name') expect(after).toContain(file);
                }
                if (before.includes('p_9.json')) {
                    expect(announced).toContainEqual(
                        expect.objectContaining({ kind: 'removed sample', id: 'p/9' }),
                    );
                }
                // Nothing that was there is gone, except leftovers of a dead run.
                for (const name of before.filter((file) => file.endsWith('.json'))) {
                    expect(
                        after.some((file) => file === name || file.startsWith(`${name}.corrupt-`)),
                        name,
                    ).toBe(true);
                }
            }),
            {
                numRuns: runs(10),
                examples: [[[['p/1', 'garbage elsewhere']]], [[['p/1', 'of a removed sample']]]],
            },
        );
        expect(existsSync(ran)).toBe(true);
    });
});
