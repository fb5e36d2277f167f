/*
 * Builds the front end, src/page, into one script and one style sheet in dist/page/, which `report --html` and `view` serve. Part
 * of `npm run build`.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licensesOf } from './licenses.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = `${root}dist/page`;

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const bundle = await rolldown({
    input: `${root}src/page/main.tsx`,
    platform: 'browser',
    tsconfig: `${root}src/page/tsconfig.json`,
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
});
const { output } = await bundle.generate({ format: 'iife', minify: true });
const [chunk] = output;
// The script is embedded in an HTML file, where these sequences would end it or hide what follows.
const script = chunk.code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
await writeFile(`${folder}/page.js`, script);
await writeFile(`${folder}/page.css`, await readFile(`${root}src/page/page.css`, 'utf8'));
await writeFile(`${folder}/LICENSES.txt`, await licensesOf(chunk.moduleIds));
