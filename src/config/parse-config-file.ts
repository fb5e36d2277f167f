import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Json } from '../model/json.js';
import { UserError } from '../util/user-error.js';
import type { Locator } from './read-config-file.js';

/**
 * Parses a config file, JSON or YAML, and remembers its lines. JSON is read as the YAML that it is, so that both get
 * the same messages.
 * @param shown the file's name in messages
 */
export function parseSource(text: string, shown: string): Locator & { readonly data: Json } {
    const lines = new LineCounter();
    // Tabs may indent JSON, not YAML; to replace each by one space moves nothing to another line.
    const isJson = shown.endsWith('.json');
    const document = parseDocument(isJson ? text.replaceAll('\t', ' ') : text, {
        lineCounter: lines,
        uniqueKeys: true,
        prettyErrors: false,
    });
    const [error] = document.errors;
    if (error !== undefined) {
        throw new UserError(`${shown}:${lines.linePos(error.pos[0]).line}: ${cutFirstLine(error.message)}`);
    }
    return {
        data: toData(document, shown),
        at: (path) => {
            for (let length = path.length; length > 0; length--) {
                const node = document.getIn(path.slice(0, length), true);
                if (isNode(node) && node.range) return `${shown}:${lines.linePos(node.range[0]).line}`;
            }
            return shown;
        },
    };
}

/** Aliases are bounded, so that a small file cannot grow to gigabytes. */
function toData(document: ReturnType<typeof parseDocument>, shown: string): Json {
    try {
        return document.toJS({ maxAliasCount: 100 }) as Json;
    } catch (error) {
        throw new UserError(`${shown}: ${cutFirstLine((error as Error).message)}`);
    }
}

const cutFirstLine = (text: string): string => text.split('\n')[0] ?? text;
