/*
 * Measures an installation: `node scripts/measure-install.mjs` packs the product, installs it into an empty folder as a user
 * does, and prints the size of the archive, the size of the installation, and the number of packages. Build first. Needs the
 * registry.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'resume-run-install-'));

/** Total bytes of all files below a folder. */
function sizeOf(path) {
    const stats = lstatSync(path);
    if (!stats.isDirectory()) return stats.size;
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** The number of packages in a node_modules folder and in those nested inside it. */
function packagesIn(modules) {
    if (!existsSync(modules)) return 0;
    const names = readdirSync(modules).filter((name) => !name.startsWith('.'));
    const folders = names.flatMap((name) =>
        name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => join(name, part)) : [name],
    );
    return folders.reduce((sum, name) => sum + 1 + packagesIn(join(modules, name, 'node_modules')), 0);
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

try {
    const archive = execFileSync('node', [join(root, 'scripts/pack.mjs'), folder], {
        encoding: 'utf8',
    }).trim();
    const home = join(folder, 'home');
    execFileSync(
        'npm',
        ['install', '--global', '--prefix', home, '--omit=optional', '--no-audit', '--no-fund', archive],
        {
            stdio: ['ignore', 'ignore', 'inherit'],
        },
    );
    const installed = join(home, 'lib/node_modules');
    console.log(`archive            ${megabytes(lstatSync(archive).size)}`);
    console.log(`installed          ${megabytes(sizeOf(installed))}`);
    console.log(`other packages     ${packagesIn(installed) - 1}`);
} finally {
    rmSync(folder, { recursive: true, force: true });
}
