import { readFileSync } from 'node:fs';
import type { Checkpoint } from '../model/checkpoint.js';
import type { ComputedLimits, Entry, JudgeResult, MachineLoad } from '../model/entry.js';
import { isMeasured } from '../model/expectation.js';
import { chooseShownFile } from '../model/call-harness.js';
import { digest, fingerprintSample, fingerprintRounded } from '../model/fingerprint.js';
import {
    chooseEffectiveLimits,
    type LimitOptions,
    type Limits,
    type MemoryHolding,
} from '../model/limits.js';
import type {
    Checker,
    ComputedLimitRule,
    Judging,
    ProgramInput,
    Sample,
    TaskInput,
} from '../model/sample.js';
import { countGroupTests } from '../model/scoring.js';
import { planSample } from '../plan/plan-sample.js';
import { isMeasurementAskedFor } from '../plan/rerun.js';
import type { PlanGroup, PlanOptions, PlanTask, SamplePlan } from '../plan/sample-plan.js';
import { UserError } from '../util/user-error.js';

/** `format`: each format's own comparison; `tokens`: by tokens for every format, as in version 0.1. */
export type DefaultComparison = 'format' | 'tokens';

/** What determines fingerprints, limits and skips of every sample of a run. */
export interface PrepareOptions {
    readonly limits: LimitOptions;
    /** `--checker`, which replaces the samples' own; null keeps those. */
    readonly checker: Checker | null;
    /** How samples that name no checker are judged: by the comparison of their format, or by tokens as in version 0.1. */
    readonly defaultComparison: DefaultComparison;
    /** What executes `data` tasks; see model/fingerprint.ts. */
    readonly executorIdentity: string;
    /** Whether the executor judges programs. */
    readonly judges: boolean;
    readonly memoryHolding: MemoryHolding;
    /** How busy the machine that runs programs is; null if they run on another one. */
    readonly machineLoad: (() => MachineLoad) | null;
    /** Why a program cannot run here, or null. */
    readonly skipReason: (input: ProgramInput, sample: Sample) => string | null;
    readonly plan: PlanOptions;
}

/** A loaded sample, prepared for the planner and the run. */
export interface PreparedSample {
    readonly sample: Sample;
    readonly groups: readonly PlanGroup[];
    /** Set if this sample's limit must be computed from one of its groups. */
    readonly rule: ComputedLimitRule | null;
    /** Identity of that group, see `ComputedLimits`. */
    readonly ruleFingerprint: string;
}

/** @throws UserError if the executor cannot do tasks of this kind */
export function prepare(loaded: Sample, options: PrepareOptions): PreparedSample {
    const sample = withChecker(loaded, options);
    const fingerprints = fingerprintSample(sample, options.executorIdentity);
    const groups = Object.entries(sample.groups).map(([name, inputs]) => ({
        name,
        tasks: inputs.map((input, index): PlanTask => {
            if (options.judges && input.kind === 'data') {
                throw new UserError(
                    `${sample.origin}: ${name}[${index}] is not a program, so it cannot be judged: use --executor exec or --executor module`,
                );
            }
            return {
                input,
                fingerprint: fingerprints[name]?.[index] ?? '',
                rounded: fingerprintRounded(input, options.executorIdentity),
                skip: explainSkip(sample, input, options),
                source: () => getSourceText(input),
            };
        }),
    }));
    const rule = chooseRule(sample.judging, options);
    const ruleFingerprint = rule === null ? '' : digest((fingerprints[rule.group] ?? []).join('\n'));
    return { sample, groups, rule, ruleFingerprint };
}

/** The sample with the checker that applies in this directory. */
export function withChecker(
    sample: Sample,
    { checker, defaultComparison }: Pick<PrepareOptions, 'checker' | 'defaultComparison'>,
): Sample {
    const { judging } = sample;
    if (judging === null) return sample;
    const byTokens = judging.isFormatChecker && defaultComparison === 'tokens';
    // A validator that talks to programs, or produces their next input, does more than compare outputs.
    if (judging.checker.kind === 'calls') return sample;
    if (judging.interactive === true || judging.passes !== undefined) return sample;
    const chosen = checker ?? (byTokens ? { kind: 'tokens' as const } : judging.checker);
    return { ...sample, judging: { ...judging, checker: chosen } };
}

function explainSkip(sample: Sample, input: TaskInput, options: PrepareOptions): string | null {
    if (input.kind === 'data') return input.skip ?? null;
    if (!options.judges) return null;
    // Every program passes zero tests, so the verdict would look right and mean nothing.
    if (sample.judging?.tests.length === 0) return sample.skip ?? 'no tests to judge it by';
    return sample.skip ?? options.skipReason(input, sample);
}

/** The rule applies only where the sample's own limit would: not under `--limits flat`, and not if the sample states one. */
function chooseRule(judging: Judging | null, options: PrepareOptions): ComputedLimitRule | null {
    if (judging === null || !options.judges || judging.limits.time !== null) return null;
    return (options.limits.policy ?? judging.limitPolicy) === 'own' ? judging.computedLimit : null;
}

/** Text of a program's main file; null if the task is not a program, or the file cannot be read. */
export function getSourceText(input: TaskInput): string | null {
    if (input.kind !== 'program') return null;
    const { content } = chooseShownFile(input);
    if (content.text !== undefined) return content.text;
    try {
        return readFileSync(content.path, 'utf8');
    } catch {
        return null;
    }
}

/** Plans a prepared sample. If `computed` is null, it is read from the checkpoint, provided it still belongs to the group. */
export function plan(
    prepared: PreparedSample,
    checkpoint: Checkpoint | null,
    computed: ComputedLimits | null,
    options: PrepareOptions,
): SamplePlan {
    const known = computed ?? findKnownLimits(prepared, checkpoint, options);
    return planSample({
        id: prepared.sample.id,
        groups: prepared.groups,
        checkpoint,
        computedLimits: known,
        measuredGroup: prepared.rule?.group ?? null,
        limits: (group) => buildLimits(prepared, group, known, options),
        tests: countTests(prepared.sample.judging),
        options: options.plan,
    });
}

function countTests(judging: Judging | null): number {
    const root = judging?.scoring?.root;
    return root === undefined ? (judging?.tests.length ?? 0) : countGroupTests(root);
}

/**
 * Limits computed by an earlier start from the same group; null if they must be measured again, either on request or because
 * programs that `--timeout` cut may now run longer.
 */
export function findKnownLimits(
    { sample, rule, ruleFingerprint }: PreparedSample,
    checkpoint: Checkpoint | null,
    options: Pick<PrepareOptions, 'limits' | 'plan'>,
): ComputedLimits | null {
    const computed = checkpoint?.computedLimits ?? null;
    if (rule === null || computed?.group_fingerprint !== ruleFingerprint) return null;
    if (computed.cut !== undefined && computed.cut.timeout < options.limits.timeout) return null;
    const isStale = isMeasurementAskedFor(options.plan.rerun, sample.id, computed.computed_at ?? '');
    return isStale ? null : computed;
}

/** Limits of one group; null if none apply, or they are not computed yet. */
export function buildLimits(
    prepared: PreparedSample,
    group: string,
    computed: ComputedLimits | null,
    options: PrepareOptions,
): Limits | null {
    const { judging } = prepared.sample;
    if (judging === null || !options.judges) return null;
    const limitsFrom = (time: number | null): Limits => {
        const own = { ...judging.limits, time };
        return chooseEffectiveLimits(own, judging.limitPolicy, options.limits, options.memoryHolding);
    };
    const { rule } = prepared;
    if (rule === null || group === rule.group) {
        return limitsFrom(judging.limits.time);
    }
    if (computed === null) return null;
    return limitsFrom(Number((computed.time * options.limits.timeSafety).toFixed(6)));
}

/**
 * Computes limits from the slowest accepted run of the rule's group: `multiplier` times the slowest, at least `atLeast` seconds,
 * rounded up, as problemtools and BAPCtools do. Null if no run was accepted: then nothing is known, and `--timeout` applies.
 * Source: the Kattis/ICPC problem package format, `limits`.
 */
export function computeLimits(
    prepared: PreparedSample,
    entries: readonly Entry[],
    machineLoad: PrepareOptions['machineLoad'],
): ComputedLimits | null {
    const { rule } = prepared;
    const measured = entries.filter(isMeasured);
    if (rule === null || measured.length === 0) return null;
    const times = measured.flatMap(({ result }) =>
        (result as JudgeResult).tests
            // A partly accepted program may have failed some tests by running until it was stopped.
            .filter(({ passed }) => passed || result['accepted'] === true)
            .map((test) => test.cpu_time ?? test.wall_time ?? 0),
    );
    const slowest = Math.max(0, ...times);
    const exact = Math.max(rule.atLeast, slowest * rule.multiplier);
    // Subtract half a microsecond: 0.2 s x 5 is 1 s, whatever the rounding error.
    const steps = Math.ceil((exact - 5e-7) / rule.resolution);
    const time = Number((steps * rule.resolution).toFixed(6));
    const cut = findEntriesCutByTimeout(entries);
    return {
        time,
        slowest,
        group_fingerprint: prepared.ruleFingerprint,
        computed_at: new Date().toISOString(),
        ...(machineLoad === null ? {} : { load: machineLoad() }),
        ...(cut.length === 0
            ? {}
            : {
                  cut: {
                      programs: cut.length,
                      timeout: Math.min(...cut.map(({ limits }) => limits?.time ?? 0)),
                  },
              }),
    };
}

/** Programs that should be accepted but were stopped by `--timeout`, so that their running time is not known. */
export function findEntriesCutByTimeout(entries: readonly Entry[]): readonly Entry[] {
    return entries.filter(
        ({ result, limits, expected }) =>
            result['verdict'] === 'TimeLimitExceeded' &&
            limits?.from_timeout === true &&
            (expected === undefined || expected.includes('Accepted')),
    );
}
