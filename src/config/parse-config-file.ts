import { isNode, LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import { losesNumbers, NumberText } from '../model/exact-json.js';
import type { Json } from '../model/json.js';
import { UserError } from '../util/user-error.js';
import type { Locator } from './read-config-file.js';

/**
 * Parses a config file, JSON or YAML, and records its line numbers. JSON is parsed as YAML too, so that both give the same
 * messages.
 * @param shown the file's name in messages
 */
export function parseSource(text: string, shown: string): Locator & { readonly data: Json } {
    const lines = new LineCounter();
    // Tabs may indent JSON, but not YAML; replacing each with one space keeps line numbers.
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
    visit(document, {
        Scalar: (_, node) => {
            if (!losesDigits(node)) return;
            const line = lines.linePos(node.range?.[0] ?? 0).line;
            throw new UserError(
                `${shown}:${line}: the number ${node.source} exceeds the precision of a double; write it in quotes`,
            );
        },
    });
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

/** Whether the parsed number differs from the one in the file: 9007199254740993, 1e400. */
const losesDigits = ({ value, source }: Scalar): boolean =>
    typeof value === 'number' &&
    source !== undefined &&
    (/^-?\d+$/.test(source)
        ? losesNumbers(new NumberText(source))
        : /\d/.test(source) && !Number.isFinite(value));

/** Limits aliases, so that a small file cannot expand to gigabytes. */
function toData(document: ReturnType<typeof parseDocument>, shown: string): Json {
    try {
        return document.toJS({ maxAliasCount: 100 }) as Json;
    } catch (error) {
        throw new UserError(`${shown}: ${cutFirstLine((error as Error).message)}`);
    }
}

const cutFirstLine = (text: string): string => text.split('\n')[0] ?? text;
