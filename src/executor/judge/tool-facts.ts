import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../sandbox/cache-folder.js';

/*
 * Cached answers of tools about themselves: asking a dozen compilers for their version at every start takes longer than planning
 * twenty thousand samples. An answer is valid for files in their current state (path, size, mtime); changed files are asked
 * again.
 */

type Facts = Record<string, string>;

let loaded: Promise<{ readonly file: string | null; readonly facts: Facts }> | null = null;
let saving: Promise<void> = Promise.resolve();

async function load(): Promise<{ file: string | null; facts: Facts }> {
    try {
        const file = join(await cacheFolder(), 'tools.json');
        const text = await readFile(file, 'utf8').catch(() => '{}');
        return { file, facts: parse(text) };
    } catch {
        // Without a folder for the cache, every start asks.
        return { file: null, facts: Object.create(null) as Facts };
    }
}

function parse(text: string): Facts {
    const facts = Object.create(null) as Facts;
    try {
        for (const [key, value] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
            if (typeof value === 'string') facts[key] = value;
        }
    } catch {
        // An unreadable cache is rebuilt.
    }
    return facts;
}

/**
 * @param files files that the answer depends on, including those that do not exist
 * @param ask its answer is cached even if it is null (the tool reports nothing)
 */
export async function rememberFacts(
    what: string,
    files: readonly string[],
    ask: () => Promise<string | null>,
): Promise<string | null> {
    loaded ??= load();
    const { file, facts } = await loaded;
    const stamps = await Promise.all(files.map(readStamp));
    const key = [what, ...stamps].join('|');
    const known = facts[key];
    if (known !== undefined) return known === '' ? null : known;
    const answer = await ask();
    facts[key] = answer ?? '';
    if (file !== null) saving = saving.then(() => save(file, facts));
    return answer;
}

async function readStamp(path: string): Promise<string> {
    const info = await stat(path, { bigint: true }).catch(() => null);
    return info === null ? `${path}:-` : `${path}:${info.size}:${info.mtimeNs}`;
}

/** Renames the new file into place. If two processes save at once, the later one wins, and the other asks again. */
async function save(file: string, facts: Facts): Promise<void> {
    const temporary = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`;
    try {
        await writeFile(temporary, JSON.stringify(facts), { mode: 0o600 });
        await rename(temporary, file);
    } catch {
        // Not worth a warning: the tool is asked again next time.
    }
}
