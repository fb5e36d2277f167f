import { createRequire } from 'node:module';

/** The version of this package, as its package.json says. */
export function readPackageVersion(): string {
    const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
    return manifest.version;
}
