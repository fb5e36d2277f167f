import { randomBytes } from 'node:crypto';

/*
 * Names of files that are not complete yet: `.<file>.<holder id>.<random>.tmp`. None ends in `.json`, because people look for
 * results with find. write-file-atomic adds `.<number>` for a temporary file of its own.
 */

/** Identifies one run's temporary files: `h` and 12 hex digits, so that no file of the user's looks like one of ours. */
export function makeHolderId(): string {
    return `h${randomBytes(6).toString('hex')}`;
}

/** Starts at a random number: two threads of one run must not choose the same name, nor one thread the same name twice. */
let count = randomBytes(4).readUInt32BE();

export function makeStagingName(file: string, holder: string): string {
    count = (count + 1) >>> 0;
    return `.${file}.${holder}.${count.toString(16).padStart(8, '0')}.tmp`;
}

const PATTERN = /^\..+\.(h[0-9a-f]{12})\.[0-9a-f]{8}\.tmp(?:\.\d+)?$/s;

/** The holder that a temporary file belongs to; null if the name is not one of ours. */
export function parseStagingHolder(name: string): string | null {
    return PATTERN.exec(name)?.[1] ?? null;
}
