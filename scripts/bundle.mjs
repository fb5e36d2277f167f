/*
 * Puts what the command loads at its start into few files: dist/bundle/. Node takes half a millisecond for each of some 170
 * modules, and a start that finds nothing to do takes a third of a second. Made of the compiled modules, which stay for the
 * library and for workers; packages that are only loaded when they are used stay outside.
 * Part of `npm run build`.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/bundle`;

/** Loaded by every start, with whatever they need themselves. */
const INSIDE = ['yargs', 'picomatch', 'write-file-atomic'];
/** What yargs lays its help out with: ours is laid out by cli/help.ts, and building their tables takes 25 ms. */
const NEVER_USED = ['cliui', 'string-width'];

/** What several commands share, in one file: nearly every start needs most of it. */
const COMMON = /\/dist\/(?:util|model|plan|config|checkpoint|dataset|report)\//;

const isPackage = (id) => !/^[./\0]/.test(id);
const startsInside = (id, importer) => INSIDE.includes(id) || importer?.includes('/node_modules/');

await rm(folder, { recursive: true, force: true });
const bundle = await rolldown({
    input: { cli: `${root}dist/cli.js` },
    platform: 'node',
    external: (id, importer) => isPackage(id) && !startsInside(id, importer) && !NEVER_USED.includes(id),
    plugins: [
        {
            name: 'never-used',
            resolveId: (id) => (NEVER_USED.includes(id) ? `\0${id}` : null),
            load: (id) =>
                id.startsWith('\0') && NEVER_USED.includes(id.slice(1))
                    ? `export default () => { throw new Error('${id.slice(1)} is not in the bundle'); };`
                    : null,
        },
    ],
});
const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'common', minShareCount: 2, test: COMMON }] },
});
await writeFile(`${folder}/LICENSES.txt`, await licenses(output.flatMap((chunk) => chunk.moduleIds ?? [])));

/** The licences of the packages whose code stands in the bundle. */
async function licenses(modules) {
    const packages = new Set(modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]));
    packages.delete(undefined);
    const texts = await Promise.all(
        [...packages].sort().map(async (path) => {
            const { name, version, license } = JSON.parse(await readFile(`${path}/package.json`, 'utf8'));
            const text = await firstOf([
                `${path}/LICENSE`,
                `${path}/LICENSE.md`,
                `${path}/LICENSE.txt`,
                `${path}/license`,
            ]);
            return `${name} ${version} (${license})\n\n${text.trim()}\n`;
        }),
    );
    return texts.join(`\n${'-'.repeat(72)}\n\n`);
}

async function firstOf(paths) {
    for (const path of paths) {
        const text = await readFile(path, 'utf8').catch(() => null);
        if (text !== null) return text;
    }
    throw new Error(`no licence: ${paths.join(', ')}`);
}
