import { cpus, release, totalmem } from 'node:os';

/** Describes what the figures depend on. Contains no names of hosts, people or folders. */
export function describeMachine(): string {
    const cores = cpus();
    const model = cores[0]?.model.trim() ?? 'unknown CPU';
    const memory = Math.round(totalmem() / 2 ** 30);
    return `${cores.length} cores of ${model}, ${memory} GiB, ${process.platform} ${release().split('-')[0] ?? ''}, Node ${process.versions.node}`;
}
