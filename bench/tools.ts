import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The path of a program, or null. */
export async function whereIs(program: string): Promise<string | null> {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
        const path = join(folder, program);
        const found = await access(path, constants.X_OK).then(
            () => true,
            () => false,
        );
        if (found) return path;
    }
    return null;
}

export const isInstalled = async (program: string): Promise<boolean> => (await whereIs(program)) !== null;

/**
 * Finds the interpreter itself, not a version manager's shim in front of it.
 * @param everywhere whether every sandbox and every user, not only ours, must be able to reach it
 */
export async function realPython(everywhere: boolean): Promise<string | null> {
    for (const name of ['python3', '/usr/bin/python3']) {
        const said = await run(name, ['-c', 'import sys; print(sys.executable)']).catch(() => null);
        const path = said?.stdout.trim() ?? '';
        if (path !== '' && (!everywhere || path.startsWith('/usr/'))) return path;
    }
    return null;
}

export const say = (line: string): void => void process.stderr.write(`${line}\n`);
