/*
 * Packs what users install: `node scripts/pack.mjs [folder]` prints the path of the archive. Its manifest has no scripts (npm
 * warns about every package that has some) and no development dependencies. Build first.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const destination = resolve(process.argv[2] ?? '.');
mkdirSync(destination, { recursive: true });
const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8' });

const [{ files }] = JSON.parse(npm(root, 'pack', '--dry-run', '--json', '--ignore-scripts'));
const staged = mkdtempSync(join(tmpdir(), 'resume-run-pack-'));
try {
    for (const { path } of files) cpSync(join(root, path), join(staged, path));
    const {
        scripts: _,
        devDependencies: __,
        ...manifest
    } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    writeFileSync(join(staged, 'package.json'), `${JSON.stringify(manifest, null, 4)}\n`);
    console.log(join(destination, npm(staged, 'pack', '--silent', '--pack-destination', destination).trim()));
} finally {
    rmSync(staged, { recursive: true, force: true });
}
