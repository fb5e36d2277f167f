import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const newest = (dir: string, extension: string): number =>
    Math.max(
        0,
        ...readdirSync(dir, { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith(extension))
            .map((name) => statSync(join(dir, name)).mtimeMs),
    );

/**
 * Path of a compiled file of src/, for processes that a test starts. `npm test` builds it first; when tests are run by hand after
 * an edit, it is built here.
 */
export function compiled(file: string): string {
    const path = join(ROOT, 'dist', file);
    const folders = ['checkpoint', 'host', 'model', 'util'].map((folder) => join(ROOT, 'src', folder));
    const source = Math.max(...folders.map((folder) => newest(folder, '.ts')));
    if (!existsSync(path) || statSync(path).mtimeMs < source) {
        try {
            execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(ROOT, 'tsconfig.build.json')]);
        } catch (error) {
            // Type errors elsewhere are reported by the type check; only the file needed here must exist.
            if (!existsSync(path)) throw error;
        }
    }
    return path;
}
