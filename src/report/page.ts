import { makeSink, type TextStream } from './sink.js';
import type { SuccessWord } from './success-word.js';
import { chooseStyle, type Style } from './style.js';

/** Properties of the output that a text report is shown on. */
export interface Page {
    /** Columns of the terminal; infinite if there is none. */
    readonly width: number;
    readonly style: Style;
    /** What to call an Accepted task; absent: accepted. */
    readonly success?: SuccessWord;
}

/** Describes a stream as a page. */
export function describePage(stream: TextStream, env: Readonly<Record<string, string | undefined>>): Page {
    return { width: makeSink(stream).columns, style: chooseStyle(stream, env) };
}
