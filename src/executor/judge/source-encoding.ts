/** Languages whose sources may declare an encoding that the interpreter follows. */
const DECLARING_LANGUAGES = /^(?:PYTHON|PYPY|RUBY)/;

/**
 * Allowed in the first line, or in the second after a comment or a blank line. Source: PEP 263; Ruby's magic comments look the
 * same.
 */
const DECLARATION = /^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)/;
const NO_CODE = /^[ \t\f]*(?:#.*)?$/;

/** Python's names of encodings that iconv-lite does not know. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
    latin: 'latin1',
    latin_1: 'latin1',
    'iso-latin-1': 'latin1',
    iso_latin_1: 'latin1',
    mbcs: 'windows-1252',
    sjis: 'shift_jis',
    ms932: 'cp932',
    ujis: 'euc-jp',
    mac_roman: 'macroman',
    mac_cyrillic: 'maccyrillic',
};

/**
 * The bytes of a submission's text as its file should contain them: in the encoding that the text declares if that can represent
 * all of it, otherwise in UTF-8. A dataset's row is text that was decoded once, but an interpreter that finds a declaration
 * decodes the file by it.
 * @param tag language tag
 */
export async function encodeSource(text: string, tag: string): Promise<Buffer> {
    const utf8 = Buffer.from(text);
    // ASCII is the same in every encoding that a source can declare.
    if (utf8.length === text.length || !DECLARING_LANGUAGES.test(tag)) return utf8;
    const declared = declaredEncoding(text);
    if (declared === null) return utf8;
    const { default: iconv } = await import('iconv-lite');
    const name = OTHER_NAMES[declared] ?? declared;
    if (!iconv.encodingExists(name)) return utf8;
    const encoded = iconv.encode(text, name);
    return iconv.decode(encoded, name) === text ? encoded : utf8;
}

/** The text with its encoding declaration changed to UTF-8, for servers that store every source as UTF-8. */
export function declareUtf8(text: string, tag: string): string {
    const declared = DECLARING_LANGUAGES.test(tag) ? declaredEncoding(text) : null;
    return declared === null ? text : text.replace(/(coding[:=][ \t]*)[-_.a-zA-Z0-9]+/, '$1utf-8');
}

/** The encoding that a source declares, in lower case; null if it declares none, or UTF-8. */
function declaredEncoding(text: string): string | null {
    // A byte order mark means UTF-8, whatever follows.
    if (text.startsWith('\uFEFF')) return null;
    const [first = '', second = ''] = text.split(/\r\n|\r|\n/, 2);
    const found = DECLARATION.exec(first) ?? (NO_CODE.test(first) ? DECLARATION.exec(second) : null);
    // Suffixes for line ends, as written by editors, are ignored, as Python does.
    const name = found?.[1]?.toLowerCase().replace(/-(?:unix|dos|mac)$/, '') ?? null;
    return name === null || /^utf[-_]?8/.test(name) || /^utf[-_]?(?:16|32)/.test(name) ? null : name;
}
