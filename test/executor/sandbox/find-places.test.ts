import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, programCacheFolder } from '../../../src/executor/sandbox/cache-folder.js';
import { findProgram, programFolders } from '../../../src/executor/sandbox/find-program.js';

afterEach(() => vi.unstubAllEnvs());

describe('the search for programs', () => {
    it('finds those of the system without PATH, and takes what PATH names first', async () => {
        vi.stubEnv('PATH', undefined);
        expect(await findProgram('sh')).toMatch(/\/bin\/sh$/);
        expect(await findProgram('no-such-program')).toBe(null);
        expect(programFolders('/opt/tools:relative:')[0]).toBe('/opt/tools');
        expect(programFolders('/opt/tools:relative:')).not.toContain('relative');
    });
});

const scene = mkdtempSync(join(tmpdir(), 'resume-run-places-'));
const noexec = join(scene, 'noexec');
mkdirSync(noexec);
const mounted =
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec,size=1m', 'tmpfs', noexec]).status === 0;

describe('the cache folder', () => {
    afterEach(() => {
        if (mounted) spawnSync('umount', [noexec]);
        rmSync(scene, { recursive: true, force: true });
    });

    it.skipIf(!mounted)(
        'for programs is not on a file system that runs none (needs root and mount)',
        async () => {
            vi.stubEnv('XDG_CACHE_HOME', noexec);
            vi.stubEnv('TMPDIR', scene);
            expect(await cacheFolder()).toBe(join(noexec, 'resume-run'));
            expect(await programCacheFolder()).toBe(join(scene, `resume-run-${process.getuid?.()}`));
        },
    );
});
