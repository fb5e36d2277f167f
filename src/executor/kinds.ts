import type { OptionTable } from '../config/option.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import { EXEC } from './exec-kind.js';
import type { Executor } from './executor.js';
import { CHAT } from './chat/chat-kind.js';
import type { ExecutorKind } from './executor-kind.js';
import { FUNCTION } from './function-kind.js';
import { JUDGE } from './judge/judge-kind.js';
import { MODULE } from './module-kind.js';
import { GO_JUDGE } from './servers/go-judge-kind.js';
import { PISTON } from './servers/piston-kind.js';
import { SANDBOX_FUSION } from './servers/sandbox-fusion-kind.js';
import type { SandboxServerKind } from './servers/server-kind.js';

/**
 * Every executor. A new one consists of an implementation, a row beside it (described in executor-kind.ts), and a line here; the
 * choices of `--executor`, its options, and everything else that a run needs follow from that.
 */
export const EXECUTOR_KINDS = [
    JUDGE,
    EXEC,
    MODULE,
    FUNCTION,
    CHAT,
    // The server kind with the cheapest probe comes first, since an unknown server is probed in this order.
    GO_JUDGE,
    PISTON,
    SANDBOX_FUSION,
] as const satisfies readonly ExecutorKind[];

type Kinds = typeof EXECUTOR_KINDS;

export type ExecutorName = Kinds[number]['name'];

export const EXECUTOR_NAMES: readonly ExecutorName[] = EXECUTOR_KINDS.map(({ name }) => name);

/** The executor's part of a run's configuration. */
export type KnownExecutorConfig = ReturnType<Kinds[number]['configure']>;

/** The options of all executors. Executors that share an option share its definition. */
export const EXECUTOR_OPTIONS = mergeOptions(EXECUTOR_KINDS);

type Intersection<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void
    ? I
    : never;

function mergeOptions<K extends readonly { readonly options: OptionTable }[]>(
    kinds: K,
): Intersection<K[number]['options']> {
    const entries = kinds.flatMap(({ options }) => Object.entries(options));
    // Each entry is an option of a row, by name.
    return Object.fromEntries(entries) as Intersection<K[number]['options']>;
}

/** The executors over sandbox servers, in the order in which a server of unknown kind is probed. */
export const SERVER_KINDS: readonly SandboxServerKind[] = EXECUTOR_KINDS.filter((kind) => 'server' in kind);

/** The row of an executor. @param name from a validated configuration, or from a descriptor that this version built */
export function findExecutorKind(name: string): Kinds[number] {
    const kind = EXECUTOR_KINDS.find((one) => one.name === name);
    if (kind === undefined) throw new Error(`bug in resume-run: no executor ${name}`);
    return kind;
}

/** Builds the executor for a descriptor; loads only what that kind needs. */
export function createExecutor(descriptor: ExecutorDescriptor): Promise<Executor> {
    const kind: ExecutorKind = findExecutorKind(descriptor.kind);
    return kind.runsIn === 'main' && kind.createInWorker !== undefined
        ? kind.createInWorker(descriptor)
        : kind.create(descriptor);
}
