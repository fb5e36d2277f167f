import { readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { command as archiveCommand } from '../../src/commands/archive.js';
import { command as checkCommand } from '../../src/commands/check.js';
import type { Command } from '../../src/commands/command.js';
import { loadCatalog } from '../../src/commands/registry.js';
import type { GivenOptions } from '../../src/config/layers.js';
import { BY, entry, type Place, place, state } from '../checkpoint/rig.js';

let printed = '';

beforeEach(() => {
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        printed += String(text);
        return true;
    });
});

afterEach(() => {
    vi.restoreAllMocks();
});

async function filled(): Promise<Place> {
    const made = place(['p/1']);
    const writer = made.store().open(state('p/1', [['solution', 1]]));
    await writer.commit('solution', entry(0), BY);
    await writer.close();
    return made;
}

/** Runs a command on a directory with an empty environment. */
const execute = (command: Command, made: Place, options: GivenOptions) =>
    command.execute({
        options: { dir: made.results, checkpoints: made.checkpoints, ...options },
        positionals: [],
        command: [],
        env: {},
        cwd: dirname(made.results),
        catalog: loadCatalog,
    });

describe('resume-run check', () => {
    const check = (made: Place, fix: boolean, json = false) => execute(checkCommand, made, { fix, json });

    it('is content with a directory as a run leaves it', async () => {
        expect(await check(await filled(), false)).toBe(0);
        expect(printed).toContain('nothing wrong');
    });

    it('tells what is wrong, mends it when asked to, and is content then', async () => {
        const made = await filled();
        writeFileSync(join(made.results, 'p_1.json'), '{"id":\n"p/1", x');
        expect(await check(made, false)).toBe(1);
        expect(printed).toMatch(
            /^error: p_1\.json: cannot be read [^\n]*\n1 problem found, 0 repaired, 1 left to look at\n$/,
        );
        printed = '';
        expect(await check(made, true)).toBe(0);
        expect(printed).toContain('(moved to ');
        printed = '';
        expect(await check(made, false, true)).toBe(0);
        expect(JSON.parse(printed)).toMatchObject({ kind: 'set aside', severity: 'info', fixed: null });
    });
});

describe('resume-run archive', () => {
    it('moves finished files away and says how many', async () => {
        const made = await filled();
        const to = join(made.checkpoints, 'old.tar');
        expect(await execute(archiveCommand, made, { to, json: true })).toBe(0);
        expect(JSON.parse(printed)).toMatchObject({ samples: 1, path: to });
        expect(readdirSync(made.results)).toEqual([]);
        // --checkpoints is the parent folder for the folders of all results directories.
        const checkpointsDir = join(made.checkpoints, basename(made.results));
        expect((await made.store({ checkpointsDir }).read('p/1'))?.isComplete).toBe(true);
    });
});

it('refuses a directory that is not there', async () => {
    const made = place([]);
    const wanted = { ...made, results: join(made.results, 'mistyped') };
    await expect(
        execute(checkCommand, wanted, { checkpoints: join(made.checkpoints, 'mistyped') }),
    ).rejects.toThrow(/there is no results directory .*mistyped: nothing to check/);
});
