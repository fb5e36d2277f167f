import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc's clock in a second: the kernel's USER_HZ, 100 on every architecture that Node runs on. */
const TICKS = 100;

/** What a process and its descendants use. */
export interface TreeUsage {
    /** Bytes in memory now, of all of them; shared pages count for each process. */
    readonly memory: number;
    /** Seconds of CPU by process id, since each process started. */
    readonly cpu: ReadonlyMap<number, number>;
}

/** Reads /proc. @returns null if there is no /proc, or the process is gone */
export function measureTree(root: number): TreeUsage | null {
    const parents = new Map<number, number>();
    const seconds = new Map<number, number>();
    for (const name of listProcesses()) {
        const fields = readText(`/proc/${name}/stat`)
            ?.replace(/^.*\) /s, '')
            .split(' ');
        if (fields === undefined) continue;
        // After the name: state, ppid, ... utime is the 12th, stime the 13th. Source: proc_pid_stat(5)
        parents.set(Number(name), Number(fields[1]));
        seconds.set(Number(name), (Number(fields[11]) + Number(fields[12])) / TICKS);
    }
    if (!parents.has(root)) return null;
    const isInTree = (pid: number): boolean => {
        for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
            if (at === root) return true;
        return false;
    };
    const members = [...parents.keys()].filter(isInTree);
    return {
        memory: members.reduce((sum, pid) => sum + readResidentBytes(pid), 0),
        cpu: new Map(members.map((pid) => [pid, seconds.get(pid) ?? 0])),
    };
}

function listProcesses(): readonly string[] {
    try {
        return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    } catch {
        return [];
    }
}

function readResidentBytes(pid: number): number {
    const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '') ?? [];
    return Number(kibibytes) * 1024;
}

function readText(path: string): string | null {
    try {
        return readFileSync(path, 'utf8');
    } catch {
        return null;
    }
}
