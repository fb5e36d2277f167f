import { ForkServer } from './fork-server.js';

/** Which of the two servers that users run is simulated: they differ in when they read a program's output. */
export type FusionVariant =
    /** bytedance/SandboxFusion: reads up to a limit, then waits for the program to end. The rest of a long output is lost. */
    | 'original'
    /** cai-jianfeng/SandboxFusion: reads while the program runs, until no process holds its stdout any more. */
    | 'fork';

/** One command as the server runs it: by bash, limited by wall time only. */
export interface FusionCommand {
    readonly command: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly stdin: string;
    /** Seconds. */
    readonly timeout: number;
    /** -1: none. */
    readonly memoryLimitMb: number;
    /** Hard limit of the server's own stack in bytes; null for none. */
    readonly hardStack: number | null;
    readonly variant: FusionVariant;
}

/** `compile_result` or `run_result` of an answer. */
export interface CommandResult {
    status: 'Finished' | 'Error' | 'TimeLimitExceeded';
    execution_time: number;
    return_code: number | null;
    stdout: string;
    stderr: string;
}

/**
 * As measured on bytedance/SandboxFusion at 469de08: its event loop gives programs a socket as stdout and reads at most 219,264
 * bytes from it before it waits for the end. The capacity of the socket then lets a program that wrote a lot at once end
 * normally, while one that wrote many lines blocks until its time is up. Memory limits also apply to compilers, for address
 * space, data and stack alike, and output that is not UTF-8 is reported with Python's own message.
 */
const HELPER = `
import json, os, resource, select, signal, socket, subprocess, sys, time

def answer(connection, **result):
    connection.sendall(json.dumps(result).encode())
    os._exit(0)

def text(raw):
    try: return bytes(raw).decode()
    except UnicodeDecodeError as error: return f'[DecodeError] {error}'

def limiter(given):
    def limit():
        wanted = given['memoryLimitMb'] * 1024 * 1024
        if given['hardStack'] is not None:
            resource.setrlimit(resource.RLIMIT_STACK, (given['hardStack'], given['hardStack']))
        if wanted <= 0: return
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (wanted, hard))
    return limit

def handle(connection, given):
    kept = 219264 if given['variant'] == 'original' else None
    if given['hardStack'] is None and given['memoryLimitMb'] > 0:
        try: resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.RLIM_INFINITY))
        except (ValueError, OSError): pass
    ours, theirs = zip(*(socket.socketpair() for _ in range(3)))
    for one in ours: one.setblocking(False)
    started = time.time()
    try:
        child = subprocess.Popen(['/bin/bash', '-c', given['command']], cwd=given['cwd'], env=given['env'],
            stdin=theirs[0], stdout=theirs[1], stderr=theirs[2], preexec_fn=limiter(given), start_new_session=True)
    except Exception as error:
        message = f"exception on running command {given['command']}: {error} | None"
        answer(connection, status='Error', execution_time=0, return_code=None, stdout='', stderr=message)
    for one in theirs: one.close()
    ended = os.pidfd_open(child.pid)
    printed = {ours[1]: bytearray(), ours[2]: bytearray()}
    reading, unsent, over, left = set(printed), memoryview(given['stdin'].encode()), False, 1

    def read(stream):
        room = 262144 if kept is None else kept - len(printed[stream])
        try: chunk = stream.recv(room) if room > 0 else b''
        except BlockingIOError: return False
        except ConnectionError: chunk = b''
        printed[stream] += chunk
        if not chunk or (kept is not None and len(printed[stream]) >= kept): reading.discard(stream)
        return bool(chunk)

    if not unsent: ours[0].shutdown(socket.SHUT_WR)
    while not over or (kept is None and reading):
        left = started + given['timeout'] - time.time()
        if left <= 0: break
        watched = [connection, *reading] + ([] if over else [ended])
        ready, writable, _ = select.select(watched, [ours[0]] if unsent else [], [], left)
        if connection in ready:
            os.killpg(child.pid, signal.SIGKILL)
            os._exit(0)
        for stream in ready:
            if stream is not ended: read(stream)
            else: over = True
        if writable:
            try:
                unsent = unsent[ours[0].send(unsent[:65536]):]
                if not unsent: ours[0].shutdown(socket.SHUT_WR)
            except ConnectionError: unsent = memoryview(b'')
    took = time.time() - started
    late = left <= 0
    for stream in list(reading):
        while stream in reading and read(stream): pass
    try: os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError: pass
    code = child.wait()
    answer(connection, status='TimeLimitExceeded' if late else 'Finished', execution_time=took,
        return_code=None if late else code, stdout=text(printed[ours[1]]), stderr=text(printed[ours[2]]))
`;

const commands = new ForkServer(HELPER);

/** Runs the command. @param stopping ends the program, as the server's end does; a client that goes away does not */
export async function runFusionCommand(
    command: FusionCommand,
    stopping: AbortSignal,
): Promise<CommandResult> {
    try {
        return (await commands.ask(command, stopping)) as CommandResult;
    } catch (error) {
        if (stopping.aborted) return STOPPED;
        throw error;
    }
}

const STOPPED: CommandResult = {
    status: 'Error',
    execution_time: 0,
    return_code: null,
    stdout: '',
    stderr: 'the server is stopping',
};
