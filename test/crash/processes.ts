import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';
import type { RunEvent } from '../../src/model/event.js';
import type { Cli } from '../rig/cli.js';
import { PYTHON } from '../rig/servers/run-program.js';
import { patience } from '../rig/slowness.js';

/** Resolves when the run has printed `count` events of a type, or has ended. */
export function eventSeen(cli: Cli, type: RunEvent['type'], count: number): Promise<void> {
    const mark = `"type":"${type}"`;
    return new Promise((resolve) => {
        let text = '';
        cli.child.stdout?.on('data', (chunk: string) => {
            text += chunk;
            if (text.split(mark).length > count) resolve();
        });
        cli.child.once('close', () => resolve());
    });
}

/** Processes whose working directory is `home` that are still alive after a grace period: nothing may be left behind. */
export async function aliveIn(home: string, patienceMs = patience(1500)): Promise<number[]> {
    const until = Date.now() + patienceMs;
    for (;;) {
        const pids = processesIn(home);
        if (pids.length === 0 || Date.now() > until) return pids;
        await sleep(50);
    }
}

/** Processes whose working directory is `home`, now. */
export function processesIn(home: string): number[] {
    return readdirSync('/proc').flatMap((name) => {
        if (!/^\d+$/.test(name)) return [];
        try {
            const state = readFileSync(`/proc/${name}/stat`, 'utf8')
                .replace(/^.*\) /s, '')
                .charAt(0);
            return state !== 'Z' && readlinkSync(`/proc/${name}/cwd`) === home ? [Number(name)] : [];
        } catch {
            // Gone meanwhile.
            return [];
        }
    });
}

/** Whether util-linux's `script`, which provides a terminal, is installed. */
export const hasTerminal = (): boolean => spawnSync('script', ['--version']).status === 0;

/** Prefix that starts a command in a terminal of its own. */
export const ON_TERMINAL = ['sh', '-c', 'exec script -qec "exec $*" /dev/null', 'sh'];

/**
 * Prefix that starts a command in a terminal that closes (its other end goes away) when the first process gets SIGUSR1. The exit
 * code is that of the program as a shell reports it: 128 + n for a death by signal n.
 */
export const ON_CLOSING_TERMINAL = [
    PYTHON,
    '-c',
    `
import os, pty, select, signal, sys
closing, told = os.pipe()
signal.signal(signal.SIGUSR1, lambda *_: os.write(told, b'x'))
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    ready = select.select([terminal, closing], [], [])[0]
    if closing in ready:
        break
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    os.write(1, data)
os.close(terminal)
status = os.waitpid(pid, 0)[1]
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`,
];

/** Whether there is a Python to hold a terminal with; prints the reason if not. */
export function hasPython(): boolean {
    const isThere = spawnSync(PYTHON, ['--version']).status === 0;
    if (!isThere) console.warn('not tried, as there is no python3: a terminal that closes');
    return isThere;
}

/** The processes whose working directory is `home` that run our program: neither shells nor workers. */
export function programsIn(home: string): number[] {
    return processesIn(home).filter((pid) => {
        const [file, script] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return file === process.execPath && script?.endsWith('resume-run.js') === true;
    });
}
