import { execFileSync } from 'node:child_process';
import { PYTHON } from '../rig/servers/run-program.js';

/**
 * Creates zips with Python, whose library writes any name that it is given.
 * @returns the archive's path
 */
export function zip(path: string, files: Readonly<Record<string, string>>): string {
    const script = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    for name, text in json.loads(sys.argv[2]).items(): out.writestr(name, text)`;
    execFileSync(PYTHON, ['-c', script, path, JSON.stringify(files)]);
    return path;
}
