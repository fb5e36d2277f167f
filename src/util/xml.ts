import { escapeText } from './printable.js';

/** The only writer of XML. An element with its attributes and its content: elements, or one text. */
export interface XmlElement {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string | number>>;
    readonly children?: readonly XmlElement[] | string;
}

/**
 * A document: every text and attribute is escaped, and characters that XML 1.0 cannot represent are written as our own escapes.
 * In pieces, one for each child of the root.
 */
export function* renderXml(
    root: Omit<XmlElement, 'children'>,
    children: Iterable<XmlElement>,
): Generator<string> {
    const [whole = ''] = formatElement(root, '');
    let isEmpty = true;
    yield '<?xml version="1.0" encoding="UTF-8"?>\n';
    for (const child of children) {
        if (isEmpty) yield `${whole.slice(0, -2)}>\n`;
        isEmpty = false;
        yield `${formatElement(child, '  ').join('\n')}\n`;
    }
    yield isEmpty ? `${whole}\n` : `</${root.name}>\n`;
}

function formatElement({ name, attributes, children = [] }: XmlElement, indent: string): string[] {
    const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(String(value))}"`);
    const open = `${indent}<${name}${given.join('')}`;
    if (typeof children === 'string') return [`${open}>${escape(children)}</${name}>`];
    if (children.length === 0) return [`${open}/>`];
    return [
        `${open}>`,
        ...children.flatMap((child) => formatElement(child, `${indent}  `)),
        `${indent}</${name}>`,
    ];
}

const ENTITIES: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
    // Unescaped, a reader would turn them into blanks in an attribute.
    '\t': '&#9;',
    '\n': '&#10;',
    '\r': '&#13;',
};

function escape(text: string): string {
    return escapeText(text.replace(/\p{Cs}/gu, '\ufffd'))
        .replace(/[\ufffe\uffff]/g, '\ufffd')
        .replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character] ?? character);
}
