import { createLowlight } from 'lowlight';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import go from 'highlight.js/lib/languages/go';
import haskell from 'highlight.js/lib/languages/haskell';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import scala from 'highlight.js/lib/languages/scala';
import typescript from 'highlight.js/lib/languages/typescript';
import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { ShownText } from '../../model/page-data.js';
import { showCount } from '../language/figures.js';
import { say } from '../language/text.js';
import { formatLines } from './shown-text.js';

const lowlight = createLowlight({
    bash,
    c,
    cpp,
    csharp,
    go,
    haskell,
    java,
    javascript,
    json,
    kotlin,
    php,
    python,
    ruby,
    rust,
    scala,
    typescript,
});

/** Languages of result files whose name is not simply the grammar's name in another case. */
const GRAMMARS: Readonly<Record<string, string>> = {
    PYTHON3: 'python',
    PYTHON2: 'python',
    PYPY: 'python',
    PYPY3: 'python',
    NODE: 'javascript',
    'C++': 'cpp',
    'C#': 'csharp',
};

/** Longer texts are shown without highlighting, which would keep the reader waiting. */
const MAX_COLOURED_LENGTH = 40_000;

/** A program with syntax highlighting, built as elements, never as HTML. */
export function SourceCode({
    title,
    source,
    language,
}: {
    readonly title: string;
    readonly source: ShownText;
    readonly language: string;
}): JSX.Element {
    const content = useMemo(() => coloured(formatLines(source.text), language), [source, language]);
    return (
        <Block title={title} text={source}>
            <code>{content}</code>
        </Block>
    );
}

/** A text from outside, shown line by line, unchanged. */
export function TextBlock({
    title,
    text,
}: {
    readonly title: string;
    readonly text: ShownText;
}): JSX.Element {
    return (
        <Block title={title} text={text}>
            {formatLines(text.text)}
        </Block>
    );
}

function Block({
    title,
    text,
    children,
}: {
    readonly title: string;
    readonly text: ShownText;
    readonly children: ComponentChildren;
}): JSX.Element {
    const place = useRef<HTMLPreElement>(null);
    return (
        <section class="block">
            <div class="section-head">
                <h3>{title}</h3>
                <CopyButton name={title} read={() => place.current?.textContent ?? ''} />
            </div>
            <pre ref={place} tabIndex={0} aria-label={title} role="region">
                {children}
            </pre>
            {text.cutFrom !== undefined && (
                <p class="note">
                    {say('wasCut', { shown: showCount(text.text.length), total: showCount(text.cutFrom) })}
                </p>
            )}
        </section>
    );
}

/** Milliseconds for which a button says that it has copied the text. */
const COPIED_MS = 1500;

/** Copies the text shown. Absent if the browser has no clipboard for the page, as over plain HTTP from another machine. */
function CopyButton({
    name,
    read,
}: {
    readonly name: string;
    readonly read: () => string;
}): JSX.Element | null {
    const [isCopied, setCopied] = useState(false);
    // Older browsers and pages without TLS have no clipboard, although the type says otherwise.
    const { clipboard }: { readonly clipboard?: Clipboard } = navigator;
    if (clipboard === undefined) return null;
    const copy = async (): Promise<void> => {
        await clipboard.writeText(read());
        setCopied(true);
        setTimeout(() => setCopied(false), COPIED_MS);
    };
    return (
        <button
            type="button"
            class="quiet"
            aria-label={`${say('copy')}: ${name}`}
            onClick={() => void copy().catch(() => undefined)}
        >
            {say(isCopied ? 'copied' : 'copy')}
        </button>
    );
}

function coloured(text: string, language: string): ComponentChildren {
    const grammar = GRAMMARS[language.toUpperCase()] ?? language.toLowerCase();
    if (text.length > MAX_COLOURED_LENGTH || !lowlight.registered(grammar)) return text;
    return lowlight.highlight(grammar, text).children.map(renderNode);
}

/** lowlight returns a tree of spans and texts. */
type CodeNode = ReturnType<typeof lowlight.highlight>['children'][number];

function renderNode(node: CodeNode): ComponentChildren {
    switch (node.type) {
        case 'text':
            return node.value;
        case 'element': {
            const names = node.properties['className'];
            return (
                <span class={Array.isArray(names) ? names.join(' ') : ''}>
                    {node.children.map(renderNode)}
                </span>
            );
        }
        case 'comment':
        case 'doctype':
            return null;
    }
}
