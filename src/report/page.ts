import { makeSink, type TextStream } from './sink.js';
import type { SuccessWord } from './success-word.js';
import { chooseStyle, type Style } from './style.js';

/** Where a text report is shown. */
export interface Page {
    /** Columns of the terminal; infinite where there is none. */
    readonly width: number;
    readonly style: Style;
    /** What an Accepted task is called; absent: accepted. */
    readonly success?: SuccessWord;
}

/** The page that a stream is. */
export function describePage(stream: TextStream, env: Readonly<Record<string, string | undefined>>): Page {
    return { width: makeSink(stream).columns, style: chooseStyle(stream, env) };
}
