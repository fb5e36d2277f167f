import { createHash } from 'node:crypto';

/*
 * Which file a sample's results stand in. `/` becomes `_`, as ever; what a file system or a shell could take amiss is
 * percent-encoded; a name that is too long, or that two ids would share, ends in a hash of the id.
 */

/** Longest name in bytes: leaves room for what staging and corrupt files add, below the usual bound of 255. */
const LONGEST = 200;
const EXTENSION = '.json';

/** Device names of Windows, with any extension: opening one opens the device. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** Control characters, what Windows forbids, the percent sign itself, and characters that turn text around or hide. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"%*:<>?\\|]/gu;

/** The name of a sample's file as long as no other id wants the same. Never leaves its directory, never hidden. */
export const plainName = (id: string): string => plainStem(id) + EXTENSION;

/** The name that ends in a hash of the id. */
export const hashedName = (id: string): string => hashedStem(id) + EXTENSION;

function plainStem(id: string): string {
    // A start asks for every id there is, and nearly all are such.
    if (id.length < 100 && ORDINARY.test(id) && !/^[acnpl]/i.test(id)) return id;
    const stem = safeStem(id);
    return Buffer.byteLength(stem) + EXTENSION.length > LONGEST ? hashedStem(id) : stem;
}

function hashedStem(id: string): string {
    const hash = createHash('sha256').update(id, 'utf16le').digest('hex').slice(0, 16);
    return `${cut(safeStem(id), LONGEST - EXTENSION.length - hash.length - 1)}-${hash}`;
}

/** The name that the earlier tools used: only `/` replaced. Null if no file can have it. */
export function earlierName(id: string): string | null {
    const name = id.replaceAll('/', '_') + EXTENSION;
    return id === '' || name.includes('\0') || Buffer.byteLength(name) > 255 ? null : name;
}

/** Nearly every id: nothing to encode. */
const ORDINARY = /^[A-Za-z0-9_][A-Za-z0-9_.,+=@()[\]{} -]*$/;

function safeStem(id: string): string {
    let stem = id.replaceAll('/', '_');
    if (ORDINARY.test(stem) && !DEVICE.test(stem)) return stem;
    stem = stem.replace(UNSAFE, encode);
    // Hidden files, `..`, options of commands, home directories.
    if (/^[.~\- ]/.test(stem) || DEVICE.test(stem)) stem = encode(stem.charAt(0)) + stem.slice(1);
    return stem === '' ? '%' : stem;
}

function encode(character: string): string {
    // A lone surrogate has no UTF-8; its code unit stands for it.
    if (/^\p{Cs}$/u.test(character)) return `%u${character.charCodeAt(0).toString(16)}`;
    return [...Buffer.from(character)]
        .map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)
        .join('');
}

/** The longest beginning of at most `bytes` bytes that ends between characters and not inside an escape. */
function cut(text: string, bytes: number): string {
    let size = 0;
    let result = '';
    for (const [part] of text.matchAll(/%u[0-9a-f]{4}|%[0-9A-F]{2}|./gsu)) {
        size += Buffer.byteLength(part);
        if (size > bytes) break;
        result += part;
    }
    return result;
}

/** Equal for names that some file system takes for one: case, and composed or decomposed accents. */
function folded(stem: string): string {
    if (/^[ -~]*$/.test(stem)) return stem.toLowerCase();
    // Which sigma is made of a capital one depends on what comes after it.
    return stem.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** Knows which of all ids would share a file. */
export class FileNames {
    /** Ids whose plain name another id wants too. */
    readonly #colliding = new Set<string>();

    /** @param ids every id of every dataset of the directory, not only those of a shard or of `--only` */
    constructor(ids: Iterable<string>) {
        const first = new Map<string, string>();
        for (const id of ids) {
            const key = folded(plainStem(id));
            const other = first.get(key);
            if (other === undefined) first.set(key, id);
            else if (other !== id) this.#colliding.add(other).add(id);
        }
        // An id may look like another one's hashed name; moving it may uncover a next one.
        let open = [...this.#colliding];
        while (open.length > 0) {
            const hit: string[] = [];
            for (const id of open) {
                const other = first.get(folded(hashedStem(id)));
                if (other !== undefined && !this.#colliding.has(other)) hit.push(other);
            }
            for (const id of hit) this.#colliding.add(id);
            open = hit;
        }
    }

    isColliding(id: string): boolean {
        return this.#colliding.has(id);
    }

    /** Where a sample's results are written if there is no file of it yet. */
    fileOf(id: string): string {
        return this.isColliding(id) ? hashedName(id) : plainName(id);
    }

    /**
     * Every name that the file of an id may have, the likeliest first; the `id` inside the file decides. Made one by one:
     * at a start the first is asked for as often as there are samples, the others hardly ever.
     */
    *candidates(id: string): Generator<string> {
        const first = this.fileOf(id);
        yield first;
        const others = new Set([plainName(id), hashedName(id), earlierName(id)]);
        for (const name of others) if (name !== null && name !== first) yield name;
    }
}
