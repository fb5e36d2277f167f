import { spawn } from 'node:child_process';
import { type Readable, Writable } from 'node:stream';

/** Of this machine, whatever PATH says: a version manager's stand-in takes a quarter of a second of CPU time at each start. */
export const PYTHON = '/usr/bin/python3';

/** How a program of a rig server ended. Times in seconds, memory in bytes. */
export interface Ended {
    readonly code: number | null;
    readonly signal: number | null;
    readonly timedOut: boolean;
    readonly cpu: number;
    readonly wall: number;
    readonly memory: number;
    readonly stdout: Buffer;
    readonly stderr: Buffer;
    /** More was printed than `maxOutput`. */
    readonly overflowed: boolean;
}

export interface Program {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly stdin: Buffer;
    /** Seconds. */
    readonly cpuLimit: number;
    readonly wallLimit: number;
    /** Bytes of address space; null: none. */
    readonly memory: number | null;
    readonly maxOutput: number;
    /** `NAME=value`; absent: that of this process. */
    readonly env?: readonly string[];
}

/** Starts the program under limits and tells on descriptor 3 what it used: Node does not know a child's usage. */
const WRAPPER = `
import json, os, resource, signal, sys, time
cpu, wall, memory = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
started = time.monotonic()
pid = os.fork()
if pid == 0:
    os.close(3)
    os.setpgid(0, 0)
    whole = int(cpu) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    if memory > 0: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try: os.execv(sys.argv[4], sys.argv[4:])
    except OSError as error: sys.stderr.write(str(error)); os._exit(127)
late = False
def stop(*_):
    global late
    late = True
    try: os.kill(-pid, signal.SIGKILL)
    except OSError: os.kill(pid, signal.SIGKILL)
signal.signal(signal.SIGALRM, stop)
signal.signal(signal.SIGTERM, stop)
signal.setitimer(signal.ITIMER_REAL, wall)
_, status, used = os.wait4(pid, 0)
took = time.monotonic() - started
spent = used.ru_utime + used.ru_stime
os.write(3, json.dumps({"code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None, "timedOut": late or spent > cpu,
    "cpu": spent, "wall": took, "memory": used.ru_maxrss * 1024}).encode())
`;

/** Runs a program on this machine, for a rig server: a test rig on loopback, no sandbox. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<Ended> {
    const limits = [program.cpuLimit, program.wallLimit, program.memory ?? 0].map(String);
    const child = spawn(PYTHON, ['-I', '-S', '-c', WRAPPER, ...limits, ...program.argv], {
        cwd: program.cwd,
        ...(program.env === undefined ? {} : { env: environment(program.env) }),
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const stop = () => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    const input = child.stdio[0];
    if (input instanceof Writable) {
        // A program need not read its input.
        input.on('error', () => {});
        input.end(program.stdin);
    }
    const closed = new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => resolve());
    });
    const collected = Promise.all(
        [1, 2, 3].map((fd) => collect(child.stdio[fd] as Readable, program.maxOutput)),
    );
    await closed;
    signal.removeEventListener('abort', stop);
    const [stdout, stderr, report] = await collected;
    if (stdout === undefined || stderr === undefined || report === undefined) throw new Error('no output');
    const ended = JSON.parse(report.bytes.toString()) as Omit<Ended, 'stdout' | 'stderr' | 'overflowed'>;
    return {
        ...ended,
        stdout: stdout.bytes,
        stderr: stderr.bytes,
        overflowed: stdout.overflowed || stderr.overflowed,
    };
}

const environment = (lines: readonly string[]): Record<string, string> =>
    Object.fromEntries(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]));

async function collect(stream: Readable, max: number): Promise<{ bytes: Buffer; overflowed: boolean }> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
        const bytes = chunk as Buffer;
        if (size < max) chunks.push(bytes.subarray(0, max - size));
        size += bytes.length;
    }
    return { bytes: Buffer.concat(chunks), overflowed: size > max };
}
