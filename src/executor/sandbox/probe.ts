import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxChoice, SandboxKind } from '../descriptor.js';
import { UserError } from '../../util/user-error.js';
import type { Box } from './box.js';
import { findProgram } from './find-program.js';
import { Sandbox } from './sandbox.js';
import { SandboxError } from './sandbox-error.js';
import type { RunLimits } from './wire.js';

export interface SandboxProbe {
    readonly kind: SandboxKind;
    /** Notices for users, one line each: why the sandbox is not bwrap, and what this kind cannot enforce. */
    readonly notes: readonly string[];
    /** What the sandbox does not prevent programs from doing. */
    readonly notEnforced: readonly string[];
}

/** Limits of a trial run. */
const TRIAL: RunLimits = {
    cpu: 5,
    wall: 10,
    memory: 1024 ** 3,
    addressSpace: 0,
    output: 1024 ** 2,
    stack: 0,
    fileSize: 1024 ** 2,
    processes: 64,
    openFiles: 64,
};

const cache = new Map<SandboxChoice, Promise<SandboxProbe>>();

/**
 * Decides by trial which sandbox programs run in: bwrap may be installed and still not work (in containers, under AppArmor). The
 * result is cached.
 * @throws UserError (exit 2) if the requested sandbox does not work here
 */
export function probeSandbox(choice: SandboxChoice): Promise<SandboxProbe> {
    let known = cache.get(choice);
    if (known === undefined) {
        known = probe(choice);
        cache.set(choice, known);
    }
    return known;
}

async function probe(choice: SandboxChoice): Promise<SandboxProbe> {
    if (choice !== 'auto') {
        const { problem, open } = await tryOut(choice);
        if (problem !== null) throw new UserError(`--sandbox ${choice} does not work here: ${problem}`);
        return { kind: choice, ...describeProtection(choice, open) };
    }
    const { problem: why, open: openInBwrap } = await tryOut('bwrap');
    if (why === null) return { kind: 'bwrap', ...describeProtection('bwrap', openInBwrap) };
    const { problem, open } = await tryOut('rlimit');
    if (problem !== null) throw new UserError(`no sandbox works here: bwrap: ${why}; rlimit: ${problem}`);
    const fallback = `bubblewrap does not work here (${why}): programs run in the weaker rlimit sandbox`;
    const { notes, notEnforced } = describeProtection('rlimit', open);
    return { kind: 'rlimit', notes: [fallback, ...notes], notEnforced };
}

/** Most machines do not grant us control groups, so only `doctor` and the entries mention that; the start of a run does not. */
function describeProtection(
    kind: SandboxKind,
    open: ReadonlySet<Open>,
): Pick<SandboxProbe, 'notes' | 'notEnforced'> {
    const known = new Set([...open].filter((what) => what !== 'memory'));
    return { notes: weaknesses(kind, known), notEnforced: weaknesses(kind, open) };
}

/** What a trial run outside of bwrap could access: protecting files and signals requires Landlock, system calls a filter. */
type Open = 'files' | 'signals' | 'calls' | 'memory';

/** What the sandbox does not prevent; keep docs/security.md in step. */
function weaknesses(kind: SandboxKind, open: ReadonlySet<Open>): string[] {
    const root = process.getuid?.() === 0;
    const uncounted = open.has('memory')
        ? [
              `${kind}: memory in buffers of sockets and pipes, bursts of several processes between two checks, and CPU time of children that end between two checks and that nobody waits for are not counted: control groups are not available here (docs/sandbox.md)`,
          ]
        : [];
    switch (kind) {
        case 'bwrap':
            return uncounted;
        case 'rlimit':
            return [
                ...uncounted,
                'rlimit: programs can see the list of processes, what is in /etc, and the size and times of any file by its name',
                'rlimit: the disk space that programs use while they run is limited only per file',
                ...(root
                    ? []
                    : [
                          'rlimit: the limit on processes counts all that you run: a fork bomb can make the forks of others fail',
                      ]),
                ...(open.has('calls')
                    ? [
                          'rlimit: no system call filter here: programs can reach the network, and leave shared memory',
                      ]
                    : []),
                ...(open.has('files')
                    ? [
                          root
                              ? 'rlimit: no Landlock here: programs can read what every user may, and leave files in /tmp'
                              : 'rlimit: no Landlock here: programs run as you, and can read and write your files',
                      ]
                    : []),
                ...(open.has('signals') && !root
                    ? ['rlimit: no Landlock for signals here: programs can kill your processes']
                    : []),
            ];
        case 'none':
            return ['none: programs run as you, with nothing but time, memory and output bounded'];
    }
}

/** Prints what it could access, one word each. */
const TRIAL_SCRIPT = `
echo works
set -- /*
[ "$1" = '/*' ] || echo files
kill -0 ${process.pid} 2>/dev/null && echo signals
while read -r name mode; do [ "$name" = Seccomp: ] && [ "$mode" = 0 ] && echo calls; done </proc/self/status
exit 0
`;

const WORDS: readonly Open[] = ['files', 'signals', 'calls'];

interface Trial {
    /** null: programs can run in it and are measured. */
    readonly problem: string | null;
    readonly open: ReadonlySet<Open>;
}

const failed = (problem: string): Trial => ({ problem, open: new Set() });

async function tryOut(kind: SandboxKind): Promise<Trial> {
    if (kind === 'bwrap' && (await findProgram('bwrap')) === null) return failed('bwrap is not installed');
    const scratch = await mkdtemp(join(tmpdir(), 'resume-run-probe-'));
    const sandbox = await Sandbox.create(kind, scratch);
    let box: Box | null = null;
    try {
        box = await sandbox.open({ files: [], roots: [], scratchBytes: 1024 ** 2 });
        const report = await box.run({ argv: ['/bin/sh', '-c', TRIAL_SCRIPT], stdin: null, limits: TRIAL });
        const words = Buffer.isBuffer(report.stdout) ? report.stdout.toString().split('\n') : [];
        if (report.exitCode === 0 && words[0] === 'works') {
            const open = new Set(WORDS.filter((word) => words.includes(word)));
            if (sandbox.cgroup === 0) open.add('memory');
            return { problem: null, open };
        }
        const said = report.stderr.toString().trim() || `exit code ${report.exitCode}`;
        return failed(`a trial run failed (${said})`);
    } catch (error) {
        if (error instanceof SandboxError) return failed(error.message.split('\n')[0] ?? 'it broke');
        throw error;
    } finally {
        await box?.close();
        await sandbox.close();
        await rm(scratch, { recursive: true, force: true });
    }
}
