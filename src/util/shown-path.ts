import { relative } from 'node:path';

/** A path as messages show it: relative where it lies in the current folder, else absolute. */
export function shortenPath(path: string): string {
    const way = relative('', path);
    return way === '' || way.startsWith('..') ? path : way;
}
