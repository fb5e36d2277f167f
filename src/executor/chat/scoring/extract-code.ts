/** A fenced code block in a Markdown answer. */
export interface CodeBlock {
    /** The word after the fence, in lower case; empty: none. */
    readonly tag: string;
    readonly text: string;
}

/** Fenced blocks in order. An unclosed block extends to the end of the text, since models may stop in the middle of one. */
export function codeBlocks(answer: string): readonly CodeBlock[] {
    const blocks: CodeBlock[] = [];
    let open: { readonly fence: string; readonly tag: string; readonly lines: string[] } | null = null;
    for (const line of answer.split(/\r?\n/)) {
        const [, fence = '', info = ''] = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$/.exec(line) ?? [];
        if (open === null) {
            if (fence !== '')
                open = { fence, tag: info.trim().split(/\s/)[0]?.toLowerCase() ?? '', lines: [] };
            continue;
        }
        const isEnd = fence[0] === open.fence[0] && fence.length >= open.fence.length && info.trim() === '';
        if (isEnd) {
            blocks.push({ tag: open.tag, text: open.lines.join('\n') });
            open = null;
        } else open.lines.push(line);
    }
    if (open !== null) blocks.push({ tag: open.tag, text: open.lines.join('\n') });
    return blocks;
}

/** Names that languages have after a fence, by their tags in result files. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
    PYTHON3: ['python', 'python3', 'py', 'py3'],
    PYPY3: ['pypy', 'pypy3'],
    PYTHON: ['python2', 'py2'],
    CPP: ['cpp', 'c++', 'cc', 'cxx'],
    C: ['c'],
    JAVA: ['java'],
    JAVASCRIPT: ['javascript', 'js', 'node'],
    TYPESCRIPT: ['typescript', 'ts'],
    GO: ['go', 'golang'],
    RUST: ['rust', 'rs'],
    KOTLIN: ['kotlin', 'kt'],
};

/** The tag of a language by any of its names, ignoring case; null if unknown. */
export function languageByName(name: string): string | null {
    const wanted = name.toLowerCase();
    const found = Object.entries(NAMES).find(
        ([tag, names]) => tag.toLowerCase() === wanted || names.includes(wanted),
    );
    return found?.[0] ?? null;
}

/** The program in an answer. */
export interface ExtractedCode {
    readonly text: string;
    /** Tag of its language; null: the answer does not name it. */
    readonly language: string | null;
}

/**
 * Finds the program in an answer: the longest fenced block of the wanted language (any language if null); else the longest block
 * without a language; else, if there is no block at all, the whole answer. Among equally long blocks, the last one wins. The
 * longest is chosen because usage examples after a solution are shorter than it.
 */
export function extractCode(answer: string, language: string | null): ExtractedCode | null {
    const blocks = codeBlocks(answer).filter(({ text }) => text.trim() !== '');
    if (blocks.length === 0) return answer.trim() === '' ? null : { text: answer, language: null };
    const tagged = blocks.map(({ tag, text }) => ({ text, tag, language: languageByName(tag) }));
    const fitting = tagged.filter((one) =>
        language === null ? one.language !== null : sameFamily(one.language, language),
    );
    const plain = tagged.filter(({ tag }) => tag === '');
    const longest = (list: typeof tagged) =>
        list.reduce<(typeof tagged)[number] | null>(
            (best, one) => (best === null || one.text.length >= best.text.length ? one : best),
            null,
        );
    return longest(fitting) ?? longest(plain) ?? (language === null ? longest(tagged) : null);
}

/** A block tagged python may be meant for either implementation and any version. */
function sameFamily(found: string | null, wanted: string): boolean {
    const family = (tag: string): string => (tag.startsWith('PY') ? 'PYTHON' : tag);
    return found !== null && family(found) === family(wanted);
}
