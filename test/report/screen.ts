import { measureWidth } from '../../src/report/width.js';
import type { TextStream } from '../../src/report/sink.js';

/** Keeps what is written; can be broken like a pipe whose reader has gone. */
export class Kept implements TextStream {
    text = '';
    private onError: ((error: Error) => void) | null = null;

    constructor(
        readonly isTTY = false,
        readonly columns = 80,
    ) {}

    write(text: string): boolean {
        this.text += text;
        return true;
    }

    on(_event: 'error', listener: (error: Error) => void): this {
        this.onError = listener;
        return this;
    }

    break(): void {
        this.onError?.(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    }
}

/** What a terminal of unlimited height shows after this text; covers only what reports write, and throws at unknown sequences. */
export function drawn(text: string, columns: number): string[] {
    const lines: string[] = [''];
    let row = 0;
    let column = 0;
    const put = (character: string): void => {
        if (column + measureWidth(character) > columns) move(1, 0);
        const line = (lines[row] ?? '').padEnd(column);
        lines[row] = line.slice(0, column) + character + line.slice(column + character.length);
        column += character.length;
    };
    const move = (down: number, to: number | null): void => {
        row = Math.max(0, row + down);
        while (lines.length <= row) lines.push('');
        if (to !== null) column = to;
    };
    // oxlint-disable-next-line no-control-regex
    for (const [token] of text.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[^]/gu)) {
        const line = lines[row] ?? '';
        if (token === '\n') move(1, 0);
        else if (!token.startsWith('\u001b')) put(token);
        else if (token.endsWith('m')) continue;
        else if (token.endsWith('A')) move(-Number(/\d+/.exec(token)?.[0] ?? 1), null);
        else if (token === '\u001b[1G') column = 0;
        else if (token === '\u001b[2K') lines[row] = '';
        else if (token === '\u001b[0K' || token === '\u001b[K') lines[row] = line.slice(0, column);
        else if (token === '\u001b[0J') {
            lines[row] = line.slice(0, column);
            lines.length = row + 1;
        } else throw new Error(`unknown sequence ${JSON.stringify(token)}`);
    }
    return lines.map((one) => one.trimEnd());
}
