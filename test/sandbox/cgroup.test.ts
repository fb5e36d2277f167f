import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { inWords, JudgeRig } from '../executor/judge/judging.js';

/*
 * What only the kernel can count: memory and CPU time that process scans cannot see. Where control groups are unavailable,
 * `doctor` and the entries say that these are not counted.
 */

const MIB = 1024 * 1024;
const LIMITS = { time: 5, memory: 128 * MIB };

/** Fills the buffers of socket pairs, in separate processes, and sleeps. */
const SOCKETS = `
import os, socket, time
pids = []
for _ in range(24):
    pid = os.fork()
    if pid == 0:
        held = []
        try:
            while True:
                pair = socket.socketpair()
                for one in pair:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                    one.setblocking(False)
                held.append(pair)
                for one in pair:
                    try:
                        while True: one.send(b'x' * 65536)
                    except BlockingIOError: pass
        except OSError:
            pass
        time.sleep(1)
        os._exit(0)
    pids.append(pid)
for pid in pids: os.waitpid(pid, 0)
print('right')
`;

/** Fills the buffers of connections to itself, and sleeps. */
const CONNECTIONS = `
import socket, time
server = socket.create_server(('127.0.0.1', 0))
held = []
try:
    while True:
        pair = socket.create_connection(server.getsockname()), server.accept()[0]
        held.append(pair)
        for one in pair:
            for buffer in socket.SO_SNDBUF, socket.SO_RCVBUF: one.setsockopt(socket.SOL_SOCKET, buffer, 8 << 20)
            one.setblocking(False)
        for one in pair:
            try:
                while True: one.send(b'x' * 262144)
            except BlockingIOError: pass
except OSError:
    pass
time.sleep(1)
print('right')
`;

/** Many processes take memory at once and release it before the next scan. */
const BURST = `
import mmap, os
read, write = os.pipe()
pids = []
for _ in range(30):
    pid = os.fork()
    if pid == 0:
        os.close(write); os.read(read, 1)
        held = mmap.mmap(-1, 16 << 20)
        for at in range(0, 16 << 20, 4096): held[at] = 1
        os._exit(0)
    pids.append(pid)
os.close(read); os.close(write)
for pid in pids: os.waitpid(pid, 0)
print('right')
`;

/** Uses its CPU time in children that are never waited for and end before the next scan. */
const UNSEEN = `
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(500):
    if os.fork() == 0:
        start = time.process_time()
        while time.process_time() - start < 0.004: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
print('right')
`;

/** Correct if it is limited to fewer processes than it asks for. */
const PROCESSES = `
import os, time
try:
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
except OSError:
    print('right')
`;

/** Keeps little, but writes and removes more than the limit in files. */
const FILES = `
import os
for i in range(3):
    with open('big', 'wb') as file:
        for _ in range(150): file.write(b'x' * (1 << 20))
    os.remove('big')
print('right')
`;

/** As many processes as allowed, under a name of their own, that never end by themselves. */
const CROWD_NAME = `crowd${process.pid}`;
const CROWD = `
import ctypes, os
ctypes.CDLL(None).prctl(15, b'${CROWD_NAME}')
while True:
    try: os.fork()
    except OSError: pass
`;

const countCrowd = (): number =>
    readdirSync('/proc').filter((pid) => {
        try {
            return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === CROWD_NAME;
        } catch {
            return false;
        }
    }).length;

describe.each(['bwrap', 'rlimit', 'none'] as const)('memory in a control group, %s', async (sandbox) => {
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());
    const trial = await rig.run({ language: 'PYTHON3', source: 'print(1)', tests: [['', '1\n']] });
    const version = trial.kind === 'verdict' ? trial.by.cgroup : undefined;
    if (version === undefined) {
        const why = `skipped: ${sandbox}: control groups are not available here`;
        console.log(why);
        it.skip(why, () => {});
        return;
    }
    const run = (source: string) =>
        rig.run({ language: 'PYTHON3', source, tests: [['', 'right\n']], limits: LIMITS });

    it('counts buffers of sockets', async () => {
        expect(inWords(await run(SOCKETS))).toBe('MemoryLimitExceeded');
    });

    // rlimit does not allow connections.
    it.skipIf(sandbox === 'rlimit')('counts buffers of connections', async () => {
        expect(inWords(await run(CONNECTIONS))).toBe('MemoryLimitExceeded');
    });

    it('counts a burst that is over before anybody looks', async () => {
        expect(inWords(await run(BURST))).toBe('MemoryLimitExceeded');
    });

    it('counts CPU time of processes that nobody saw, and holds their number', async () => {
        const limits = { ...LIMITS, time: 1 };
        const unseen = { language: 'PYTHON3', source: UNSEEN, limits };
        expect(inWords(await rig.run({ ...unseen, tests: [['', 'right\n']] }))).toMatch(/^TimeLimitExceeded/);
        expect(inWords(await run(PROCESSES))).toBe('Accepted');
    });

    it('leaves nothing of a crowd that fills it', async () => {
        const limits = { ...LIMITS, time: 0.5 };
        const crowd = { language: 'PYTHON3', source: CROWD, limits };
        expect(inWords(await rig.run({ ...crowd, tests: [['', 'right\n']] }))).toBe('TimeLimitExceeded');
        // The next program is judged in another box, which opens while this one is being closed.
        expect(inWords(await run('print("right")'))).toBe('Accepted');
        for (let tries = 0; tries < 100 && countCrowd() > 0; tries += 1)
            await new Promise((resolve) => setTimeout(resolve, 50));
        expect(countCrowd()).toBe(0);
    });

    it('leaves files in scratch to their own limits, and a program after all that to its own memory', async () => {
        expect(inWords(await run(FILES))).toBe('Accepted');
        const small = await rig.run({
            language: 'PYTHON3',
            source: 'print("right")',
            tests: [['', 'right\n']],
            limits: LIMITS,
        });
        expect(inWords(small)).toBe('Accepted');
        expect(small).toMatchObject({ result: { tests: [{ passed: true }] } });
    });
});
