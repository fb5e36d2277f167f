import { readFile } from 'node:fs/promises';

/** The licences of the packages whose code is in the bundle. */
export async function licensesOf(modules) {
    const packages = new Set(modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]));
    packages.delete(undefined);
    const texts = await Promise.all(
        [...packages]
            .sort((a, b) => a.localeCompare(b))
            .map(async (path) => {
                const { name, version, license } = JSON.parse(await readFile(`${path}/package.json`, 'utf8'));
                const text = await firstOf([
                    `${path}/LICENSE`,
                    `${path}/LICENSE.md`,
                    `${path}/LICENSE.txt`,
                    `${path}/LICENSE-MIT.txt`,
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
