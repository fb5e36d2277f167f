import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * The least that a sample's file can cost: <files> small files in <folder>, each opened, written, synced and renamed, <at once>
 * in flight. Nothing is planned, no directory is synced, nothing is shown.
 */
const [folder = '', ...numbers] = process.argv.slice(2);
const [files = 0, atOnce = 1, bytes = 0] = numbers.map(Number);

const content = Buffer.alloc(bytes, 'x');
await mkdir(folder);

let next = 0;
async function chain(): Promise<void> {
    while (next < files) {
        const name = `file-${next++}`;
        const staging = join(folder, `.${name}.tmp`);
        const handle = await open(staging, 'wx');
        await handle.writeFile(content);
        await handle.sync();
        await handle.close();
        await rename(staging, join(folder, `${name}.json`));
    }
}

await Promise.all(Array.from({ length: atOnce }, chain));
