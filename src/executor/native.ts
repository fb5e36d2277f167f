import { fileURLToPath } from 'node:url';

/** The folder of the helper's sources. Two folders deep like every module that names a file of the package: the bundle is too. */
export const NATIVE_FOLDER = fileURLToPath(new URL('../../native/', import.meta.url));
