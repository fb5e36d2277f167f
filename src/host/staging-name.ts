import { randomBytes } from 'node:crypto';

/*
 * Names of files that are not whole yet: `.<file>.<holder id>.<random>.tmp`. None ends in `.json`, because people look for
 * results with find. write-file-atomic adds `.<number>` for a temporary file of its own.
 */

/** Identifies one run's temporary files: `h` and 12 hex digits, so that nobody's own file looks like one of ours. */
export function makeHolderId(): string {
    return `h${randomBytes(6).toString('hex')}`;
}

export function makeStagingName(file: string, holder: string): string {
    return `.${file}.${holder}.${randomBytes(4).toString('hex')}.tmp`;
}

const PATTERN = /^\..+\.(h[0-9a-f]{12})\.[0-9a-f]{8}\.tmp(?:\.\d+)?$/s;

/** The holder that a temporary file belongs to; null if the name is none of ours. */
export function parseStagingHolder(name: string): string | null {
    return PATTERN.exec(name)?.[1] ?? null;
}
