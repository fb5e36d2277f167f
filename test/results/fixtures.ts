import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '../../src/model/verdict.js';

/** A finished task for `writeTasks`; missing fields get plausible values. */
export interface GivenTask {
    readonly group?: string;
    readonly verdict?: Verdict;
    /** Set for a task that was given up. */
    readonly failure?: string;
    /** Seconds for every attempt. */
    readonly duration?: number;
    readonly cpu?: number;
    readonly language?: string;
    readonly fingerprint?: string;
    readonly endpoint?: string;
    /** Verdicts or failures of attempts before the last. */
    readonly before?: readonly { readonly verdict?: Verdict; readonly failure?: string }[];
    /** What a module or command returned; makes it a task of that kind. */
    readonly result?: Readonly<Record<string, unknown>>;
    readonly startedAt?: string;
}

/** Writes the result file of one sample as a run would, without running anything. */
export function writeTasks(
    dir: string,
    id: string,
    tasks: readonly GivenTask[],
    run: string | null = 'run-1',
): void {
    const groups = new Map<string, unknown[]>();
    const failures: unknown[] = [];
    const counts = new Map<string, number>();
    for (const task of tasks) {
        const group = task.group ?? 'solution';
        const index = counts.get(group) ?? 0;
        counts.set(group, index + 1);
        const list = groups.get(group) ?? [];
        groups.set(group, list);
        const fingerprint = task.fingerprint ?? `v1-sha256-${id}-${group}-${index}`;
        const attempts = attemptsOf(task);
        if (task.failure !== undefined) {
            const message = `it broke: ${task.failure}`;
            failures.push({ group, index, fingerprint, reason: task.failure, message, attempts });
        } else list.push({ index, ...entryOf(task), attempts, fingerprint });
    }
    const progress: Record<string, unknown> = {};
    for (const [group, list] of groups) {
        progress[`completed_${group}s`] = list.length;
        progress[`total_${group}s`] = counts.get(group);
    }
    progress['is_complete'] = failures.length === 0;
    const lists = [...groups].map(([group, list]) => [`${group}_result`, list] as const);
    const file = {
        id,
        ...Object.fromEntries(lists),
        api_used: 'local',
        worker_id: 'thread-1',
        progress,
        ...(failures.length === 0 ? {} : { failures }),
        ...(run === null ? {} : { run }),
    };
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${id.replaceAll('/', '_')}.json`), JSON.stringify(file));
}

function attemptsOf(task: GivenTask): unknown[] {
    const last =
        task.failure === undefined ? { verdict: task.verdict ?? 'Accepted' } : { failure: task.failure };
    return [...(task.before ?? []), last].map((outcome, at) => ({
        attempt: at + 1,
        ...outcome,
        started_at: task.startedAt ?? '2026-11-29T08:00:00.000Z',
        duration: task.duration ?? 0.5,
        api_used: task.endpoint ?? 'local',
        worker_id: 'thread-1',
    }));
}

function entryOf(task: GivenTask): Record<string, unknown> {
    const verdict = task.verdict ?? 'Accepted';
    const accepted = verdict === 'Accepted';
    if (task.result !== undefined) return { result: { accepted, verdict, ...task.result } };
    const test = {
        passed: accepted,
        ...(accepted ? {} : { verdict }),
        cpu_time: task.cpu ?? 0.1,
        wall_time: task.duration ?? 0.5,
        memory: 1_000_000,
        exec_info: { status: 'Success' },
    };
    return {
        language: task.language ?? 'CPP',
        solution: 'int main(){}',
        result: { accepted, verdict, tests: [test] },
    };
}
