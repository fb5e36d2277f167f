import type { LanguageOverride } from '../descriptor.js';
import { INTERNAL } from './internal-languages.js';
import type { Language } from './language.js';
import { LANGUAGES, PYPY3 } from './language-table.js';

export interface LanguageSettings {
    /** `languages` of the config file. */
    readonly overrides: Readonly<Record<string, LanguageOverride>>;
    /** `--python2-as-3`: programs marked PYTHON are run with Python 3. */
    readonly python2As3: boolean;
}

/** Whether a row stands for something other than a language in which programs are written. */
export const isInternal = ({ tag }: Pick<Language, 'tag'>): boolean =>
    INTERNAL.some((language) => language.tag === tag);

/** The table by tag, with the settings applied. */
export function buildLanguageTable(settings: LanguageSettings): ReadonlyMap<string, Language> {
    const table = new Map([...LANGUAGES, ...INTERNAL].map((language) => [language.tag, language]));
    const python3 = table.get('PYTHON3');
    const python2 = table.get('PYTHON');
    if (settings.python2As3 && python3 && python2) table.set('PYTHON', { ...python2, run: python3.run });
    const named = new Set(Object.keys(settings.overrides).map((name) => name.toUpperCase()));
    // A user's override of Python 3 applies to all uses of Python 3.
    if (named.has('PYTHON3')) table.delete(PYPY3);
    for (const [name, override] of Object.entries(settings.overrides)) {
        const tag = name.toUpperCase();
        table.set(tag, overridden(tag, table.get(tag) ?? null, override));
    }
    return table;
}

function overridden(tag: string, known: Language | null, override: LanguageOverride): Language {
    const base: Language = known ?? {
        tag,
        name: tag.charAt(0) + tag.slice(1).toLowerCase(),
        extensions: override.extensions ?? [],
        source: override.source ?? `main${override.extensions?.[0] ?? ''}`,
        compile: [],
        run: [],
        processes: 64,
        memory: { addressSpace: false, overhead: 0 },
        outOfMemory: null,
        makes: override.compile === undefined ? 'nothing' : 'program',
    };
    return {
        ...base,
        ...(override.compile === undefined ? {} : { compile: [override.compile] }),
        ...(override.run === undefined ? {} : { run: [override.run] }),
        ...(override.extensions === undefined ? {} : { extensions: override.extensions }),
        ...(override.source === undefined ? {} : { source: override.source }),
    };
}

/** The language of a file by its name, for programs that do not name theirs (checkers of problem packages). */
export function findLanguageByFile(table: ReadonlyMap<string, Language>, file: string): Language | null {
    for (const language of table.values()) {
        if (language.extensions.some((extension) => file.endsWith(extension))) return language;
    }
    return null;
}
