import { ForkServer } from './fork-server.js';

export { PYTHON } from './fork-server.js';

/** How a program of a rig server ended. Times are in seconds, memory in bytes. */
export interface Ended {
    readonly code: number | null;
    readonly signal: number | null;
    readonly timedOut: boolean;
    readonly cpu: number;
    readonly wall: number;
    readonly memory: number;
    readonly stdout: Buffer;
    readonly stderr: Buffer;
    /** The output exceeded `maxOutput`. */
    readonly overflowed: boolean;
}

export interface Program {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly stdin: Buffer;
    /** Seconds. */
    readonly cpuLimit: number;
    readonly wallLimit: number;
    /** Bytes of address space; null for no limit. */
    readonly memory: number | null;
    readonly maxOutput: number;
    /** `NAME=value` entries; absent: the environment of this process. */
    readonly env?: readonly string[];
}

/** Runs the program under limits and reports its resource usage, because Node does not know that of a child. */
const HANDLER = `
import base64, json, os, resource, select, signal, socket, sys, time

TICKS = os.sysconf('SC_CLK_TCK')

def cpu_of(pid):
    try:
        with open(f'/proc/{pid}/stat') as file: fields = file.read().rpartition(')')[2].split()
    except OSError: return 0
    return (int(fields[11]) + int(fields[12])) / TICKS

def start(given):
    pipes = [os.pipe() for _ in range(3)]
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            for fd, end in ((0, pipes[0][0]), (1, pipes[1][1]), (2, pipes[2][1])): os.dup2(end, fd)
            os.closerange(3, 256)
            for one in (signal.SIGPIPE, signal.SIGXFSZ): signal.signal(one, signal.SIG_DFL)
            os.chdir(given['cwd'])
            whole = int(given['cpuLimit']) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
            memory = given['memory']
            if memory is not None: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            env = dict(line.split('=', 1) for line in given['env'])
            os.execve(given['argv'][0], given['argv'], env)
        except BaseException as error:
            os.write(2, str(error).encode())
            os._exit(127)
    os.close(pipes[0][0]); os.close(pipes[1][1]); os.close(pipes[2][1])
    return pid, pipes[0][1], pipes[1][0], pipes[2][0]

def end(pid):
    for target in (-pid, pid):
        try: os.kill(target, signal.SIGKILL)
        except OSError: pass

def handle(connection, given):
    started = time.monotonic()
    pid, stdin, out, err = start(given)
    for fd in (stdin, out, err): os.set_blocking(fd, False)
    ended = os.pidfd_open(pid)
    printed, sizes = {out: bytearray(), err: bytearray()}, {out: 0, err: 0}
    unsent = memoryview(base64.b64decode(given['stdin']))
    reading, over, late, most = {out, err}, False, False, given['maxOutput']
    if not unsent: os.close(stdin)
    while reading or not over:
        left = started + given['wallLimit'] - time.monotonic()
        if not over and not late and (left <= 0 or cpu_of(pid) > given['cpuLimit']):
            late = True
            end(pid)
        watched = [connection, *reading] + ([] if over else [ended])
        ready, writable, _ = select.select(watched, [stdin] if unsent else [], [], 0.05)
        if connection in ready:
            end(pid)
            os._exit(0)
        if ended in ready:
            _, status, used = os.wait4(pid, 0)
            took, over = time.monotonic() - started, True
            # What it started and left behind would hold its output open.
            end(pid)
        for fd in list(reading):
            if fd not in ready: continue
            try: chunk = os.read(fd, 262144)
            except BlockingIOError: continue
            if not chunk: reading.discard(fd)
            printed[fd] += chunk[:max(0, most - sizes[fd])]
            sizes[fd] += len(chunk)
        if writable:
            try: unsent = unsent[os.write(stdin, unsent[:65536]):]
            except BrokenPipeError: unsent = unsent[:0]
            if not unsent: os.close(stdin)
    spent = used.ru_utime + used.ru_stime
    connection.sendall(json.dumps({
        'code': os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        'timedOut': late or spent > given['cpuLimit'],
        'cpu': spent, 'wall': took, 'memory': used.ru_maxrss * 1024,
        'stdout': base64.b64encode(printed[out]).decode(), 'stderr': base64.b64encode(printed[err]).decode(),
        'overflowed': max(sizes.values()) > most,
    }).encode())
    os._exit(0)

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
`;

const programs = new ForkServer(HANDLER);

type Told = Omit<Ended, 'stdout' | 'stderr'> & { readonly stdout: string; readonly stderr: string };

/** Runs a program on this machine for a rig server: a test rig on loopback, without a sandbox. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<Ended> {
    const env = program.env ?? Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
    const request = { ...program, env, stdin: program.stdin.toString('base64') };
    const told = (await programs.ask(request, signal)) as Told;
    return {
        ...told,
        stdout: Buffer.from(told.stdout, 'base64'),
        stderr: Buffer.from(told.stderr, 'base64'),
    };
}
