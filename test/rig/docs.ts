import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BIN, tempDir } from './cli.js';
import type { ServedCli } from './served-cli.js';

export const DOCS = resolve(import.meta.dirname, '../../docs');
const ROOT = resolve(DOCS, '..');

/** A fenced block of a page: the text after its opening backticks, and its content. */
export interface Fence {
    readonly info: string;
    readonly text: string;
}

export function fencesOf(markdown: string): readonly Fence[] {
    const fences = markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm);
    return Array.from(fences, ([, info = '', text = '']) => ({ info, text }));
}

/**
 * Creates a folder with `resume-run` on its path and importable, as in an installation.
 * @param served adds a second path on which `resume-run` is this one
 */
export function userFolder(served?: ServedCli): {
    readonly cwd: string;
    readonly path: string;
    readonly servedPath: string;
} {
    const folder = tempDir();
    const bin = join(folder, 'bin');
    const servedBin = join(folder, 'served');
    const cwd = join(folder, 'work');
    mkdirSync(bin);
    mkdirSync(servedBin);
    served?.writeCommand(join(servedBin, 'resume-run'));
    mkdirSync(join(cwd, 'node_modules'), { recursive: true });
    symlinkSync(ROOT, join(cwd, 'node_modules', 'resume-run'));
    // Users who write TypeScript have these.
    mkdirSync(join(cwd, 'node_modules', '.bin'));
    for (const name of ['.bin/tsc', '@types'])
        symlinkSync(join(ROOT, 'node_modules', name), join(cwd, 'node_modules', name));
    const command = join(bin, 'resume-run');
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    chmodSync(command, 0o755);
    const path = `${bin}:${process.env['PATH'] ?? ''}`;
    return { cwd, path, servedPath: `${servedBin}:${path}` };
}
