import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { callCli } from './in-process.js';
import { sharedFolder } from './run-folder.js';

/**
 * A `resume-run` for scripts without the cost of a start: a shell script that sends its command line, folder and environment to
 * this process, which runs it as `callCli` does and leaves the output in files. Stdin is not passed on.
 */
export class ServedCli {
    readonly #folder = mkdtempSync(join(sharedFolder('served'), 'cli-'));
    readonly #server: Server = createServer(serve);

    async start(): Promise<void> {
        await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    }

    /** Writes the script, in place of an executable that takes the same command lines. */
    writeCommand(path: string): void {
        const { port } = this.#server.address() as AddressInfo;
        const script = `#!/bin/bash
answer=$(mktemp -d '${this.#folder}/XXXXXX')
exec 3<>/dev/tcp/127.0.0.1/${port}
{ printf '%s\\0' "$answer" "$PWD" "$#" "$@"; env -0; printf '\\0'; } >&3
read -r code <&3
cat "$answer/stdout"
cat "$answer/stderr" >&2
exit "$code"
`;
        writeFileSync(path, script);
        chmodSync(path, 0o755);
    }

    stop(): void {
        this.#server.close();
    }
}

/** Reads one command line from a connection and answers it. Its fields end with NUL bytes, and the last field is empty. */
function serve(socket: Socket): void {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (isWhole(text)) void answer(text).then((code) => socket.end(`${code}\n`));
    });
    // The script was killed.
    socket.on('error', () => {});
}

async function answer(text: string): Promise<number | null> {
    const [folder = '', cwd = '', count = '0', ...rest] = text.split('\0');
    const args = rest.slice(0, Number(count));
    const variables = rest.slice(Number(count), -2).map((line): [string, string] => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
    });
    const { code, stdout, stderr } = await callCli(args, { cwd, env: Object.fromEntries(variables) });
    writeFileSync(join(folder, 'stdout'), stdout);
    writeFileSync(join(folder, 'stderr'), stderr);
    return code;
}

/** No environment variable is empty, so two NUL bytes in a row after the arguments mark the end. */
function isWhole(text: string): boolean {
    const [, , count, ...rest] = text.split('\0');
    return count !== undefined && rest.length > Number(count) + 1 && text.endsWith('\0\0');
}
