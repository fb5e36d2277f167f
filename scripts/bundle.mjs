/*
 * Bundles what the command loads when it starts into a few files in dist/bundle/. Node takes half a millisecond for each of about
 * 170 modules, and a start that finds nothing to do should take a few tenths of a second. The bundle is made from the compiled
 * modules, which are kept for the library and for workers; packages that are only loaded when used stay outside. Part of `npm run
 * build`.
 */
import { rm, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licensesOf } from './licenses.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/bundle`;

/**
 * Packages that every start loads, or that consist of dozens of files and are loaded by many starts, with all of their
 * dependencies.
 */
const INSIDE = ['yargs', 'picomatch', 'get-east-asian-width', 'fast-glob', 'yaml'];
/**
 * What yargs uses to lay out a help page. Our help is laid out by cli/help.ts, so these two are initialized only when yargs calls
 * them: building their character tables takes 25 ms of every start.
 */
const READY_WHEN_CALLED = new Set(['cliui', 'string-width']);
const LAZY = '\0when-called:';
/**
 * yargs uses this to find a package.json for a version that we never ask it for. The search lists the current folder and all
 * folders above it, which may contain a million files.
 */
const NOT_LOOKED_FOR = new Set(['escalade/sync']);
const NOTHING_FOUND = '\0nothing-found';

/** What several commands share, in two files: one for reading a command line, one for a results directory. */
const SHARED = [
    {
        name: 'options',
        minShareCount: 2,
        // Excludes modules that load packages, because every start would load those, too.
        test: /\/dist\/(?:util|model|config|cli)\/(?!(?:matrix-file|parse-config-file)\.js$)|\/dist\/executor\/.*(?:-kind|kinds|server-options)\.js$|\/write-error\.js$/,
    },
    { name: 'results', minShareCount: 2, test: /\/dist\/(?:plan|checkpoint|dataset|report)\// },
];

const isPackage = (id) => !/^[./\0]/.test(id);
const startsInside = (id, importer) => INSIDE.includes(id) || importer?.includes('/node_modules/');

await rm(folder, { recursive: true, force: true });
const bundle = await rolldown({
    // `main` on its own, for tests that run command lines in their own process.
    input: { cli: `${root}dist/cli.js`, main: `${root}dist/cli/main.js` },
    platform: 'node',
    external: (id, importer) => isPackage(id) && !startsInside(id, importer),
    plugins: [
        {
            name: 'ready-when-called',
            async resolveId(id, importer) {
                if (importer === undefined || !importer.includes('/yargs/')) return null;
                if (NOT_LOOKED_FOR.has(id)) return NOTHING_FOUND;
                if (!READY_WHEN_CALLED.has(id)) return null;
                const { id: path } = await this.resolve(id, importer, { skipSelf: true });
                return LAZY + relative(root, path);
            },
            load: (id) =>
                id === NOTHING_FOUND
                    ? 'export default () => undefined;'
                    : id.startsWith(LAZY)
                      ? `const load = () => require(${JSON.stringify(root + id.slice(LAZY.length))});
                       // A module may name what \`require\` gives: cliui gives its function itself.
                       export default (...given) => (load().default ?? load())(...given);`
                      : null,
        },
    ],
});
const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: SHARED },
});
await writeFile(
    `${folder}/LICENSES.txt`,
    await licensesOf(output.flatMap((chunk) => chunk.moduleIds ?? []).filter((id) => !id.startsWith('\0'))),
);
