import { homedir } from 'node:os';

/** The user's home; null if there is none: a container's user may have neither HOME nor an entry in the user database. */
export function findHomeFolder(): string | null {
    try {
        return homedir() || null;
    } catch {
        return null;
    }
}
