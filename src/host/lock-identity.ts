import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { getIoCode } from '../util/io-error.js';

/** Which process holds a directory. A pid alone gets reused; together with boot, namespace and start time it is unique. */
export interface HolderIdentity {
    readonly host: string;
    /** Null if the system does not report it; then only the heartbeat shows whether the holder is alive. */
    readonly bootId: string | null;
    readonly pidNamespace: string | null;
    readonly pid: number;
    /** Clock ticks since boot, from /proc. */
    readonly startTime: string | null;
}

/** What is known of a holder without waiting. */
export type Life = 'alive' | 'dead' | 'unknown';

export function ownIdentity(): HolderIdentity {
    return {
        host: hostname(),
        bootId: readText('/proc/sys/kernel/random/boot_id'),
        pidNamespace: readLink('/proc/self/ns/pid'),
        pid: process.pid,
        startTime: processStart('self'),
    };
}

/**
 * Whether a holder is alive. /proc decides only if it shows our pid namespace, and the holder's host, boot and pid namespace are
 * ours: inside a container, host name and boot id equal the host's while the holder's /proc entry is not visible.
 */
export function judgeLife(holder: HolderIdentity, own: HolderIdentity): Life {
    const comparable =
        own.bootId !== null &&
        own.pidNamespace !== null &&
        holder.startTime !== null &&
        holder.host === own.host &&
        holder.bootId === own.bootId &&
        holder.pidNamespace === own.pidNamespace;
    if (!comparable || !isProcOurs()) return 'unknown';
    const start = processStart(String(holder.pid));
    if (start !== null) return start === holder.startTime ? 'alive' : 'dead';
    // No entry: the process is gone, or belongs to another user while /proc is mounted with hidepid.
    return exists(holder.pid) ? 'unknown' : 'dead';
}

/**
 * Whether /proc lists the processes of our own pid namespace. In a container that was given the host's /proc, our pids name other
 * processes, and nothing it says about a holder is true.
 */
function isProcOurs(): boolean {
    return readLink('/proc/self') === String(process.pid);
}

/** Start time of a process; null if it has no /proc entry or is a zombie. */
function processStart(pid: string): string | null {
    const text = readText(`/proc/${pid}/stat`);
    if (text === null) return null;
    // The command stands in parentheses and may contain anything, parentheses included.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? null : (fields[19] ?? null);
}

function exists(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return processState(pid) !== 'Z';
    } catch (error) {
        return getIoCode(error) === 'EPERM';
    }
}

function processState(pid: number): string | null {
    const text = readText(`/proc/${pid}/stat`);
    return text === null ? null : text.charAt(text.lastIndexOf(')') + 2);
}

function readText(path: string): string | null {
    try {
        return readFileSync(path, 'utf8').trim();
    } catch {
        return null;
    }
}

function readLink(path: string): string | null {
    try {
        return readlinkSync(path);
    } catch {
        return null;
    }
}
