import { constants } from 'node:os';
import type { RunReport } from '../sandbox/box.js';
import type { Ran } from './go-judge-protocol.js';

/** Converts a run on a server to the report of our own sandbox. @param output what it printed */
export function toReport(ran: Ran, output: Buffer): RunReport {
    const stderr = Buffer.from(ran.stderr);
    const bySignal = ran.status === 'Signalled' || ran.status === 'Dangerous Syscall';
    const signal = ran.status === 'Dangerous Syscall' ? constants.signals.SIGSYS : ran.exitStatus;
    return {
        startErrno: 0,
        exitCode: bySignal ? null : ran.exitStatus,
        signal: bySignal ? signal : null,
        cpu: ran.cpu,
        wall: ran.wall,
        memory: Math.max(0, ran.memory - output.length - stderr.length),
        limit: limitHit(ran.status),
        stdoutBytes: output.length,
        stderrBytes: stderr.length,
        stderrFile: null,
        stdout: output,
        stderr,
        ended: 0,
        pieces: [],
    };
}

function limitHit(status: Ran['status']): RunReport['limit'] {
    switch (status) {
        case 'Time Limit Exceeded':
            // CPU or wall time; the measurements say which.
            return 'wall';
        case 'Memory Limit Exceeded':
            return 'memory';
        case 'Output Limit Exceeded':
            return 'output';
        case 'Accepted':
        case 'Nonzero Exit Status':
        case 'Signalled':
        case 'Dangerous Syscall':
            return null;
    }
}
