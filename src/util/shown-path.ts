import { relative } from 'node:path';

/** A path for messages: relative if it is in the current folder, else absolute. */
export function shortenPath(path: string): string {
    const way = relative('', path);
    return way === '' || way.startsWith('..') ? path : way;
}
