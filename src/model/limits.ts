import { isLimitVerdict, type Verdict } from './verdict.js';

/** Limits under which a program was judged: CPU time in seconds, memory and output in bytes. Stored in every judged entry. */
export interface Limits {
    readonly time: number;
    /** Null: none was enforced, because the server cannot enforce one or was not asked to. */
    readonly memory: number | null;
    readonly output: number;
    /** The sample's own time limit, if `--limits flat` ignored it: accepted runs above it are listed. Seconds. */
    readonly own_time?: number;
    /** True if `time` is `--timeout` although the sample's own limits apply: it has none, or a longer one. */
    readonly from_timeout?: true;
}

/** The limits that a sample itself states; null if it states none. Seconds, bytes. */
export interface OwnLimits {
    readonly time: number | null;
    readonly memory: number | null;
    readonly output: number | null;
}

/** `own`: the sample's limits, bounded by `--timeout`; `flat`: `--timeout` for every test. */
export type LimitPolicy = 'own' | 'flat';

/** Which memory limit an executor enforces: each program's own; `--memory-limit` only, if given; or none. */
export type MemoryHolding = 'always' | 'if-given' | 'never';

/** Options that decide limits. `policy` null means the policy of the dataset's format. Seconds, bytes. */
export interface LimitOptions {
    readonly policy: LimitPolicy | null;
    /** `--timeout` */
    readonly timeout: number;
    /** `--time-factor` */
    readonly timeFactor: number;
    /** `--time-safety`: limits computed from a sample's own solutions are multiplied by this. */
    readonly timeSafety: number;
    /** `--memory-limit`: null means the sample's own, else `DEFAULT_MEMORY`. */
    readonly memory: number | null;
    /** `--max-output`: null means the sample's own, else `DEFAULT_OUTPUT`. */
    readonly output: number | null;
}

/** 2048 MiB: the default of the Kattis/ICPC problem package format. */
export const DEFAULT_MEMORY = 2048 * 1024 * 1024;
/** 64 MiB: room for every honest answer, small enough for any disk. */
export const DEFAULT_OUTPUT = 64 * 1024 * 1024;

/**
 * The limits a sample's programs run under. own: the sample's time x `timeFactor`, at most `timeout`; `timeout` if it has none.
 * flat: `timeout`, and the sample's memory limit is ignored too, as on the servers that the flat policy was made for.
 */
export function chooseEffectiveLimits(
    own: OwnLimits,
    formatPolicy: LimitPolicy,
    options: LimitOptions,
    holding: MemoryHolding,
): Limits {
    const policy = options.policy ?? formatPolicy;
    const time =
        policy === 'flat' || own.time === null
            ? options.timeout
            : Math.min(own.time * options.timeFactor, options.timeout);
    const aside = policy === 'flat' && own.time !== null ? { own_time: own.time } : {};
    const isBounded =
        policy === 'own' && (own.time === null || own.time * options.timeFactor > options.timeout);
    return {
        time,
        memory: computeHeldMemory(policy === 'own' ? own.memory : null, options.memory, holding),
        output: options.output ?? own.output ?? DEFAULT_OUTPUT,
        ...aside,
        ...(isBounded ? { from_timeout: true } : {}),
    };
}

/** After this much CPU time a program is certainly over its limit, and is stopped. Seconds. */
export function killTime(limit: number): number {
    return Math.max(limit * 1.25, limit + 0.5);
}

function computeHeldMemory(own: number | null, given: number | null, holding: MemoryHolding): number | null {
    switch (holding) {
        case 'always':
            return given ?? own ?? DEFAULT_MEMORY;
        case 'if-given':
            return given;
        case 'never':
            return null;
    }
}

/** Bytes that a program may use if a limit has to be enforced. */
export const getMemoryBound = ({ memory }: Pick<Limits, 'memory'>): number => memory ?? DEFAULT_MEMORY;

/** The limit that a verdict ran into; null for verdicts that no limit decides. */
export function findExceededLimit(verdict: Verdict): 'time' | 'memory' | 'output' | null {
    if (!isLimitVerdict(verdict)) return null;
    switch (verdict) {
        case 'TimeLimitExceeded':
            return 'time';
        case 'MemoryLimitExceeded':
            return 'memory';
        case 'OutputLimitExceeded':
            return 'output';
    }
}
