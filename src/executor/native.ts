import { fileURLToPath } from 'node:url';

/**
 * The folder of the helper's sources. Like every module that refers to a file of the package, this one is two folders deep, as is
 * the bundle.
 */
export const NATIVE_FOLDER = fileURLToPath(new URL('../../native/', import.meta.url));
