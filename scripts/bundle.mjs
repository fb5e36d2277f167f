/*
 * Puts what the command loads at its start into few files: dist/bundle/. Node takes half a millisecond for each of some 170
 * modules, and a start that finds nothing to do should take a few tenths of a second. Made of the compiled modules, which stay for the
 * library and for workers; packages that are only loaded when they are used stay outside.
 * Part of `npm run build`.
 */
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licensesOf } from './licenses.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/bundle`;

/** Loaded by every start, with whatever they need themselves. */
const INSIDE = ['yargs', 'picomatch'];
/**
 * What yargs lays a help page out with, which nobody sees: ours is made by cli/help.ts. Building the tables of these two takes
 * 25 ms of every start.
 */
const UNSEEN = {
    cliui: 'export default () => ({ div() {}, span() {}, resetOutput() {}, toString: () => "" });',
    'string-width': 'export default (text) => text.length;',
};

/** What several commands share, in two files: for reading a command line, and for a results directory. */
const SHARED = [
    {
        name: 'options',
        minShareCount: 2,
        // Not what loads packages: every start would load them, too.
        test: /\/dist\/(?:util|model|config|cli)\/(?!(?:matrix-file|parse-config-file)\.js$)|\/dist\/executor\/.*(?:-kind|kinds|server-options)\.js$|\/write-error\.js$/,
    },
    { name: 'results', minShareCount: 2, test: /\/dist\/(?:plan|checkpoint|dataset|report)\// },
];

const isPackage = (id) => !/^[./\0]/.test(id);
const startsInside = (id, importer) => INSIDE.includes(id) || importer?.includes('/node_modules/');

await rm(folder, { recursive: true, force: true });
const bundle = await rolldown({
    // `main` by itself, for tests that run command lines in their own process.
    input: { cli: `${root}dist/cli.js`, main: `${root}dist/cli/main.js` },
    platform: 'node',
    external: (id, importer) => isPackage(id) && !startsInside(id, importer) && !Object.hasOwn(UNSEEN, id),
    plugins: [
        {
            name: 'unseen',
            resolveId: (id) => (Object.hasOwn(UNSEEN, id) ? `\0${id}` : null),
            load: (id) => UNSEEN[id.slice(1)] ?? null,
        },
    ],
});
const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: SHARED },
});
await writeFile(`${folder}/LICENSES.txt`, await licensesOf(output.flatMap((chunk) => chunk.moduleIds ?? [])));
