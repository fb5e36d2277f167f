import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../src/executor/sandbox/find-program.js';

/*
 * Control groups of version 2, simulated by a folder with a kernel's files and texts (Documentation/admin-guide/cgroup-v2.rst),
 * because few test machines have them. The program below is both box and server.
 */

const DRIVER = String.raw`
#include "cgroup.h"
#include "wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void play(const char *folder, const char *name, const char *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static void play_group(const char *folder) {
    mkdir(folder, 0755);
    play(folder, "cgroup.subtree_control", "");
    play(folder, "cgroup.procs", "1\n");
    play(folder, "memory.max", "max\n");
    play(folder, "memory.swap.max", "max\n");
    play(folder, "memory.current", "1000000\n");
    play(folder, "memory.peak", "1000000\n");
    play(folder, "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n");
    play(folder, "memory.stat", "anon 1\nfile 900\nshmem 200\n");
    play(folder, "pids.max", "max\n");
    play(folder, "pids.current", "3\n");
    play(folder, "cpu.stat", "usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\n");
}

int main(int argc, char **argv) {
    char parent[2048], group[2100];
    struct cgroup c = {0};
    if (argc < 2) return 2;
    snprintf(parent, sizeof parent, "%s/resume-run-%d", argv[1], getpid());
    snprintf(group, sizeof group, "%s/place-0", parent);
    play_group(parent);
    play_group(group);
    c.version = cgroup_make("place-0", c.files);
    printf("version %d\n", c.version);
    if (!c.version) return 0;
    cgroup_verify(&c);
    cgroup_begin(&c, 64u << 20, 64);
    play(group, "memory.current", "3000000\n");
    play(group, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n");
    play(group, "cpu.stat", "usage_usec 2005000\nuser_usec 4000\nsystem_usec 1000\n");
    uint64_t cpu = cgroup_cpu(&c); /* without our own */
    printf("usage %llu killed %d cache %llu cpu %d\n", (unsigned long long)cgroup_usage(&c), cgroup_has_killed(&c),
           (unsigned long long)cgroup_file_cache(&c), cpu > 1500000000 && cpu <= 2000000000);
    printf("%s\n", parent);
    return 0;
}
`;

describe('control groups of version 2', async () => {
    const cc = await findProgram('cc');
    if (cc === null) {
        console.log('skipped: no C compiler here');
        it.skip('no C compiler here', () => {});
        return;
    }
    const folder = mkdtempSync(join(tmpdir(), 'cgroup-v2-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const mount = join(folder, 'mount');
    const own = join(mount, 'user.slice/run-1.scope');
    const owner = join(folder, 'own');
    const driver = join(folder, 'driver');
    mkdirSync(own, { recursive: true });
    writeFileSync(owner, '0::/user.slice/run-1.scope\n');
    writeFileSync(`${driver}.c`, DRIVER);
    const defined = [`-DCGROUP_MOUNT="${mount}"`, `-DOWN_GROUPS="${owner}"`];
    const sources = ['native/cgroup.c', 'native/wire.c'];
    execFileSync(cc, ['-w', '-Inative', '-o', driver, ...defined, `${driver}.c`, ...sources]);
    const drive = (controllers: string) => {
        writeFileSync(join(own, 'cgroup.controllers'), controllers);
        writeFileSync(join(own, 'cgroup.subtree_control'), '');
        return execFileSync(driver, [own], { encoding: 'utf8' });
    };

    it('hold memory and processes, and count CPU time', () => {
        const [version, counted, parent = ''] = drive('cpu memory pids\n').trim().split('\n');
        expect(version).toBe('version 2');
        expect(counted).toBe('usage 2000000 killed 1 cache 700 cpu 1');
        const read = (name: string) => readFileSync(join(parent, 'place-0', name), 'utf8').split('\n')[0];
        expect(read('memory.max')).toBe(String(1_000_000 + 64 * 1024 * 1024));
        expect(read('memory.swap.max')).toMatch(/^0/);
        expect(read('pids.max')).toMatch(/^67/);
        expect(readFileSync(join(own, 'cgroup.subtree_control'), 'utf8')).toMatch(/^\+(memory|pids)/);
    });

    it('are left alone where memory is not delegated', () => {
        expect(drive('cpu pids\n')).toBe('version 0\n');
    });
});
