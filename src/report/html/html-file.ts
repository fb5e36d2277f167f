import { createHash } from 'node:crypto';

/** The built front end. */
export interface PageAssets {
    readonly script: string;
    readonly style: string;
}

/**
 * Content security policy of a page whose only script and style are these two. It blocks fetching, framing, submitting and
 * injected HTML.
 */
function buildPolicy({ script, style }: PageAssets): string {
    return [
        "default-src 'none'",
        `script-src '${digestText(script)}'`,
        `style-src '${digestText(style)}'`,
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ].join('; ');
}

const digestText = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/**
 * A standalone file: front end, columns, chunks. The chunks come last, so that the page renders before they are read.
 * @param page output of `packPage`, gzipped
 * @param compared the same for another run to compare with; null: none
 */
export function* writeHtmlFile(
    assets: PageAssets,
    page: Buffer,
    chunks: readonly Buffer[],
    compared: Buffer | null,
): Generator<string> {
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
    yield `<meta http-equiv="Content-Security-Policy" content="${buildPolicy(assets)}">\n`;
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
    yield '<meta name="referrer" content="no-referrer">\n<title>resume-run</title>\n';
    yield `<style>${assets.style}</style>\n</head>\n<body>\n<div id="page"></div>\n`;
    yield '<noscript>This report needs JavaScript, which runs inside this file only.</noscript>\n';
    yield `<script type="text/plain" id="page-data">${page.toString('base64')}</script>\n`;
    if (compared !== null)
        yield `<script type="text/plain" id="compared-data">${compared.toString('base64')}</script>\n`;
    yield `<script>${assets.script}</script>\n`;
    for (const [at, chunk] of chunks.entries())
        yield `<script type="text/plain" id="chunk-${at + 1}">${chunk.toString('base64')}</script>\n`;
    yield '</body>\n</html>\n';
}
