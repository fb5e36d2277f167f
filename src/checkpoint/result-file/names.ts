import { createHash } from 'node:crypto';
import { hashText } from '../../util/columns/text-places.js';

/*
 * Which file holds a sample's results. `/` becomes `_`, as in the earlier tools; characters that could confuse a file system, a
 * shell or `xargs` are percent-encoded; a name that is too long, or that two ids would share, ends in a hash of the id. Version
 * 0.1 left blanks, quotes and shell characters unchanged, and a file with such a name keeps it.
 */

/** Longest name in bytes: leaves room for the suffixes of staging and corrupt files, below the usual bound of 255. */
const MAX_NAME_BYTES = 200;
const EXTENSION = '.json';

/** Device names of Windows, with any extension: opening one opens the device. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** Which characters a name may have; `0.1` is how version 0.1 named files. */
type Alphabet = typeof SAFE | typeof VERSION_0_1;

/** Control characters, characters that Windows forbids, the percent sign itself, and characters that reverse or hide text. */
const VERSION_0_1 = {
    ordinary: /^[A-Za-z0-9_][A-Za-z0-9_.,+=@()[\]{} -]*$/,
    unsafe: /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"%*:<>?\\|]/gu,
} as const;

/**
 * Also blanks and characters with a meaning for a shell or `xargs`, so that the documented `find | xargs grep` counts correctly.
 */
const SAFE = {
    ordinary: /^[A-Za-z0-9_][A-Za-z0-9_.,+=@-]*$/,
    unsafe: /[\p{Cc}\p{Cf}\p{Cs}\p{Z}"%*:<>?\\|'`$&;()[\]{}!#~^]/gu,
} as const;

/** The name of a sample's file unless another id wants the same one. Never leaves its directory, never hidden. */
export const makePlainName = (id: string): string => makePlainStem(id, SAFE) + EXTENSION;

/** The name that ends in a hash of the id. */
export const makeHashedName = (id: string): string => makeHashedStem(id, SAFE) + EXTENSION;

function makePlainStem(id: string, alphabet: Alphabet): string {
    // A start needs the name of every id, and nearly all are this simple.
    if (id.length < 100 && alphabet.ordinary.test(id) && !/^[acnpl]/i.test(id)) return id;
    const stem = makeSafeStem(id, alphabet);
    return Buffer.byteLength(stem) + EXTENSION.length > MAX_NAME_BYTES ? makeHashedStem(id, alphabet) : stem;
}

function makeHashedStem(id: string, alphabet: Alphabet): string {
    const hash = createHash('sha256').update(id, 'utf16le').digest('hex').slice(0, 16);
    return `${cut(makeSafeStem(id, alphabet), MAX_NAME_BYTES - EXTENSION.length - hash.length - 1)}-${hash}`;
}

/** Names that version 0.1 gave an id; empty if they are the same as today's. */
function listNamesOfVersion01(id: string): readonly string[] {
    if (SAFE.ordinary.test(id)) return [];
    return [makePlainStem(id, VERSION_0_1) + EXTENSION, makeHashedStem(id, VERSION_0_1) + EXTENSION];
}

/** The name that the earlier tools used: only `/` replaced. Null if no file can have it. */
export function makeEarlierName(id: string): string | null {
    const name = id.replaceAll('/', '_') + EXTENSION;
    return id === '' || name.includes('\0') || Buffer.byteLength(name) > 255 ? null : name;
}

function makeSafeStem(id: string, alphabet: Alphabet): string {
    let stem = id.replaceAll('/', '_');
    if (alphabet.ordinary.test(stem) && !DEVICE.test(stem)) return stem;
    stem = stem.replace(alphabet.unsafe, encode);
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

/** The longest prefix of at most `bytes` bytes that ends between characters and not inside an escape. */
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

/** Equal for names that some file system considers the same: case, and composed or decomposed accents. */
function foldCase(stem: string): string {
    if (/^[ -~]*$/.test(stem)) return stem.toLowerCase();
    // Which lower-case sigma a capital one becomes depends on the letter after it.
    return stem.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** Knows which of all ids would share a file. */
export class FileNames {
    #ids: Iterable<string> | null;
    #found: ReadonlySet<string> = new Set();

    /** @param ids every id of every dataset of the directory, not only those of a shard or of `--only`; may be iterated twice */
    constructor(ids: Iterable<string>) {
        this.#ids = ids;
    }

    /** Ids whose plain name another id wants too. Found when the first name is needed: a first dry run needs none. */
    get #colliding(): ReadonlySet<string> {
        if (this.#ids !== null) this.#found = findColliding(this.#ids);
        this.#ids = null;
        return this.#found;
    }

    isColliding(id: string): boolean {
        return this.#colliding.has(id);
    }

    /** Where a sample's results are written if there is no file of it yet. */
    getFile(id: string): string {
        return this.isColliding(id) ? makeHashedName(id) : makePlainName(id);
    }

    /**
     * Every name that the file of an id may have, the likeliest first; the `id` inside the file decides. Generated one by one: a
     * start needs the first for every sample, the others hardly ever.
     */
    *candidates(id: string): Generator<string> {
        const first = this.getFile(id);
        yield first;
        const others = new Set([
            makePlainName(id),
            makeHashedName(id),
            ...listNamesOfVersion01(id),
            makeEarlierName(id),
        ]);
        for (const name of others) if (name !== null && name !== first) yield name;
    }
}

/** Ids that collide, using little memory: usually there are none. */
function findColliding(ids: Iterable<string>): ReadonlySet<string> {
    return mayCollide(ids) ? findCollidingNames(ids) : new Set();
}

const MAX_IN_SET = 32_768;

/** False if no two names are equal or, among many, share a hash of 52 bits. */
function mayCollide(ids: Iterable<string>): boolean {
    let hashes = new Float64Array(64);
    let count = 0;
    const few = new Set<string>();
    for (const id of ids) {
        const key = foldCase(makePlainStem(id, SAFE));
        // The runtime's own set is faster for some thousands, but takes more memory for a million.
        if (few.size < MAX_IN_SET) {
            if (few.size === few.add(key).size) return true;
            continue;
        }
        if (few.has(key)) return true;
        // Never 0, which is a free slot.
        const hash = (hashText(key) >>> 0) * 2 ** 20 + (hashText(key, 1) >>> 12) + 1;
        if (count * 2 >= hashes.length) {
            const larger = new Float64Array(2 * hashes.length);
            for (const known of hashes) if (known !== 0) putHash(larger, known);
            hashes = larger;
        }
        if (!putHash(hashes, hash)) return true;
        count += 1;
    }
    return false;
}

/** @returns false if it is there already */
function putHash(hashes: Float64Array, hash: number): boolean {
    let slot = hash % hashes.length;
    for (; hashes[slot] !== 0; slot = (slot + 1) % hashes.length) if (hashes[slot] === hash) return false;
    hashes[slot] = hash;
    return true;
}

function findCollidingNames(ids: Iterable<string>): ReadonlySet<string> {
    const colliding = new Set<string>();
    const first = new Map<string, string>();
    for (const id of ids) {
        const key = foldCase(makePlainStem(id, SAFE));
        const other = first.get(key);
        if (other === undefined) first.set(key, id);
        else if (other !== id) colliding.add(other).add(id);
    }
    // An id may look like another id's hashed name; moving it may uncover the next such case.
    let open = [...colliding];
    while (open.length > 0) {
        const hit: string[] = [];
        for (const id of open) {
            const other = first.get(foldCase(makeHashedStem(id, SAFE)));
            if (other !== undefined && !colliding.has(other)) hit.push(other);
        }
        for (const id of hit) colliding.add(id);
        open = hit;
    }
    return colliding;
}
