import { killTime, type Limits, getMemoryBound } from '../../model/limits.js';
import type { RunLimits } from '../sandbox/wire.js';
import type { Language } from './language.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Seconds of wall time: generous, so that load does not decide, but low enough to end a sleeping program. */
export function computeWallTime(limit: number): number {
    return killTime(limit) * 2 + 1;
}

/** Runaway recursion crashes before it reaches the memory limit; legitimate recursion has room. */
function stackSize(memory: number): number {
    return Math.max(64 * MIB, Math.min(512 * MIB, memory * 0.75));
}

/** Each thread reserves as much address space as its stack may grow to, however little of it is used. */
function addressSpace(memory: number, language: Language): number {
    return 2 * memory + GIB + language.processes * stackSize(memory);
}

/** Memory in bytes at which a program is killed. */
export function killMemory(limits: Limits, language: Pick<Language, 'memory'>): number {
    return getMemoryBound(limits) + language.memory.overhead;
}

export function buildProgramLimits(limits: Limits, language: Language): RunLimits {
    const memory = getMemoryBound(limits);
    return {
        cpu: killTime(limits.time),
        wall: computeWallTime(limits.time),
        memory: killMemory(limits, language),
        // Resident memory is what counts; this only stops programs that grow faster than they are checked.
        addressSpace: language.memory.addressSpace ? addressSpace(memory, language) : 0,
        output: limits.output,
        stack: stackSize(memory),
        fileSize: 256 * MIB,
        processes: language.processes,
        openFiles: 256,
    };
}

/** Size of each folder that a judged program can write to. */
export const SCRATCH_BYTES = 256 * MIB;

/** Compilers have limits of their own, the same for all languages. */
export const COMPILE_LIMITS: RunLimits = {
    cpu: 60,
    wall: 150,
    memory: 4 * GIB,
    addressSpace: 0,
    output: 4 * MIB,
    stack: 0,
    fileSize: 512 * MIB,
    processes: 512,
    openFiles: 1024,
};

export const COMPILE_SCRATCH_BYTES = GIB;
/** Largest output of a compiler. */
export const COMPILED_BYTES = 512 * MIB;

/** Defaults for checker programs, taken from the problem package format. */
export const CHECKER_TIME = 60;
export const CHECKER_MEMORY = 2 * GIB;
