/*
 * Waits until the test run has ended for whatever reason (stdin is a pipe from it), then kills what it left behind: every process
 * with the run's folder in its environment, which children inherit. That way an interrupted run leaves nothing either.
 *
 *   node test/rig/end-leftovers.mjs <folder of the run>
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder] = process.argv.slice(2);
const mark = `TEST_RUN_FOLDER=${folder}`;

/** Processes of the run that are still there, except this one. */
function leftovers() {
    return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => {
            try {
                return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
            } catch {
                return false; // It has ended, or is another user's.
            }
        })
        .map(Number);
}

/** Rounds that the sandbox helpers get to end what runs in their boxes, because nothing else finds those programs. */
const HELPERS_HAVE = 20;

/**
 * Helpers and the processes of their boxes exit when what started them is gone. If they were killed with it, a program that forks
 * forever would survive.
 */
function isHelper(pid) {
    try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('resume-run-');
    } catch {
        return false;
    }
}

function kill(pid) {
    try {
        process.kill(pid, 'SIGKILL');
    } catch {
        // It has just exited by itself.
    }
}

for await (const _ of process.stdin);
// Repeated until none are left, because a process about to be killed may start another.
for (let round = 0; round < 50; round += 1) {
    const pids = process.platform === 'linux' ? leftovers() : [];
    if (pids.length === 0) break;
    for (const pid of pids) if (round >= HELPERS_HAVE || !isHelper(pid)) kill(pid);
    await sleep(100);
}
rmSync(folder, { recursive: true, force: true });
