import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';

/** The path of the real go-judge: `GO_JUDGE`, or found on PATH; null if it is not installed. */
export function findGoJudge(): string | null {
    const named = process.env['GO_JUDGE'];
    if (named !== undefined && named !== '') return named;
    try {
        return execFileSync('/bin/sh', ['-c', 'command -v go-judge'], { encoding: 'utf8' }).trim();
    } catch {
        return null;
    }
}

/**
 * The real go-judge, on loopback. If the mount table of its repository is next to the binary, it is started with that table, as
 * its documentation recommends: the built-in table lacks what Java needs.
 */
export class RealGoJudge {
    private child: ChildProcess | null = null;
    private port = 0;
    /** Whether it runs with the mount table from its repository. */
    readonly hasMountTable: boolean;

    constructor(
        private readonly binary: string,
        private readonly flags: readonly string[] = [],
    ) {
        this.hasMountTable = existsSync(join(dirname(binary), MOUNT_TABLE));
    }

    get url(): string {
        return `http://127.0.0.1:${this.port}`;
    }

    /** Starts it; after a `kill`, on the same port again. @throws with its own output if it does not come up */
    async start(): Promise<this> {
        this.port ||= await freePort();
        const address = `127.0.0.1:${this.port}`;
        const flags = ['-http-addr', address, '-silent', '-release', ...this.flags];
        const mounts = this.hasMountTable ? ['-mount-conf', MOUNT_TABLE] : [];
        const child = spawn(this.binary, [...flags, ...mounts], {
            // The table refers to files next to it.
            cwd: dirname(this.binary),
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        this.child = child;
        let said = '';
        child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
        for (let tries = 0; tries < 100 && child.exitCode === null; tries += 1) {
            const answer = await fetch(`${this.url}/version`).catch(() => null);
            if (answer !== null) return this;
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await this.kill();
        throw new Error(`go-judge did not start: ${said.trim().split('\n').at(-1) ?? 'it said nothing'}`);
    }

    /** Ids of the files it has stored. */
    async keptFiles(): Promise<readonly string[]> {
        const answer = await fetch(`${this.url}/file`);
        return Object.keys((await answer.json()) as Record<string, string>);
    }

    async kill(): Promise<void> {
        const { child } = this;
        this.child = null;
        if (child === null || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
    }
}

const MOUNT_TABLE = 'mount.yaml';

async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}
