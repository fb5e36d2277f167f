import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { callCli } from '../rig/in-process.js';
import { tempDir } from '../rig/cli.js';

/*
 * The compose file of the examples, as far as it can be checked without Docker: what it starts, in which order, and that its
 * flags exist.
 */

interface Service {
    readonly command: readonly string[];
    readonly build?: { readonly context: string; readonly dockerfile: string };
    readonly environment?: Readonly<Record<string, string>>;
    readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
    readonly deploy?: { readonly replicas: number };
    readonly stop_grace_period?: string;
    readonly volumes?: readonly string[];
    readonly healthcheck?: { readonly test: readonly string[] };
}

interface ComposeFile {
    readonly services: Readonly<Record<'redis' | 'coordinator' | 'worker', Service>>;
    readonly volumes: Readonly<Record<string, object>>;
}

const FOLDER = join(import.meta.dirname, '../../examples/compose');
const { services, volumes } = parse(readFileSync(join(FOLDER, 'docker-compose.yaml'), 'utf8')) as ComposeFile;
const { redis, coordinator, worker } = services;

const valueOf = ({ command }: Service, flag: string): string | undefined =>
    command[command.indexOf(flag) + 1];

it('starts a Redis that keeps everything, before those who need it', () => {
    expect(Object.keys(services)).toEqual(['redis', 'coordinator', 'worker']);
    expect(valueOf(redis, '--maxmemory-policy')).toBe('noeviction');
    expect(valueOf(redis, '--appendonly')).toBe('yes');
    expect(redis.volumes).toEqual(['queue:/data']);
    expect(Object.keys(volumes)).toEqual(['queue']);
    expect(redis.healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
    for (const { depends_on, environment } of [coordinator, worker]) {
        expect(depends_on).toEqual({ redis: { condition: 'service_healthy' } });
        expect(environment).toEqual({ REDIS_URL: 'redis://redis:6379' });
    }
});

it('gives two workers longer to stop than they give their tasks', () => {
    expect(worker.deploy?.replicas).toBe(2);
    expect(parseInt(worker.stop_grace_period ?? '', 10)).toBeGreaterThan(Number(valueOf(worker, '--grace')));
});

it('uses flags that there are, and one image that is built from the repository', async () => {
    const cwd = tempDir();
    for (const [command, { command: argv }] of [
        ['run', coordinator],
        ['worker', worker],
    ] as const) {
        const help = (await callCli([command, '--help'], { cwd })).stdout;
        const flags = argv.filter((word) => word.startsWith('--'));
        expect(flags.length).toBeGreaterThan(1);
        for (const flag of flags) expect(help).toContain(flag);
    }
    expect(worker.build).toEqual(coordinator.build);
    const { context, dockerfile } = coordinator.build ?? { context: '', dockerfile: '' };
    expect(existsSync(join(FOLDER, context, 'package.json'))).toBe(true);
    expect(existsSync(join(FOLDER, context, dockerfile))).toBe(true);
});
