import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { sharedFolder } from '../run-folder.js';

/**
 * This machine's own Python, whatever PATH says: the stand-in of a version manager takes a quarter of a second of CPU time at
 * each start.
 */
export const PYTHON = '/usr/bin/python3';

/**
 * Handles each request on a connection in a process of its own, until its starter ends. `handle` answers the request and exits.
 */
const SERVE = `
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(128)
print('ready', flush=True)
while True:
    # The end of stdin is the end of whoever started this.
    if sys.stdin in select.select([listener, sys.stdin], [], [])[0]: os._exit(0)
    connection, _ = listener.accept()
    # Beside tests that use up all processes, a fork fails now and then.
    for left in reversed(range(50)):
        try: pid = os.fork()
        except OSError:
            if left == 0: raise
            time.sleep(0.1)
        else: break
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        try:
            size = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), 'big')
            handle(connection, json.loads(connection.recv(size, socket.MSG_WAITALL)))
        finally: os._exit(1)
    connection.close()
`;

/**
 * A small Python process that forks for each request: starting one from this process would cost a copy of its page tables, plus
 * Python's own start.
 */
export class ForkServer {
    #path: Promise<string> | null = null;

    /** @param handler Python code that defines `handle(connection, given)`, which sends JSON and exits */
    constructor(private readonly handler: string) {}

    /** @param stopping closes the connection, which tells the other end. @throws if the other end exits without an answer */
    async ask(request: unknown, stopping: AbortSignal): Promise<unknown> {
        this.#path ??= this.#start();
        const socket = connect(await this.#path);
        const stop = () => void socket.destroy();
        if (stopping.aborted) stop();
        stopping.addEventListener('abort', stop, { once: true });
        const body = Buffer.from(JSON.stringify(request));
        const size = Buffer.alloc(4);
        size.writeUInt32BE(body.length);
        try {
            socket.write(Buffer.concat([size, body]));
            return JSON.parse(await readAll(socket));
        } finally {
            stopping.removeEventListener('abort', stop);
            socket.destroy();
        }
    }

    /** Starts the Python process, which ends with this one. @returns the socket on which it takes requests */
    async #start(): Promise<string> {
        const folder = await mkdtemp(join(sharedFolder('commands'), 'helper-'));
        const path = join(folder, 'socket');
        const child = spawn(PYTHON, ['-I', '-S', '-c', this.handler + SERVE, path], {
            stdio: ['pipe', 'pipe', 'inherit'],
        });
        await new Promise((resolve, reject) => {
            child.once('error', reject);
            child.stdout.once('data', resolve);
            child.once('exit', (code, signal) => {
                this.#path = null; // The next request starts another one.
                reject(new Error('the helper that runs commands ended'));
                process.stderr.write(`the helper that runs a server's commands ended: ${code ?? signal}\n`);
            });
        });
        child.unref();
        for (const stream of [child.stdin, child.stdout]) (stream as Socket).unref();
        return path;
    }
}

async function readAll(stream: Readable): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
}
