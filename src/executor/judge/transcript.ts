import type { RunReport } from '../sandbox/box.js';

/** Most bytes of a side's output that are used; transcripts are cut further when they are stored. */
const MAX_BYTES = 16 * 1024;

interface Piece {
    readonly at: number;
    readonly side: '<' | '>';
    readonly text: string;
}

/**
 * The conversation of two programs in chronological order: lines of the validator start with `<`, those of the submission with
 * `>`, as in the `.interaction` files of problem packages. Output that the reports do not hold in memory is left out.
 */
export function renderTranscript(validator: RunReport, submission: RunReport | null): string {
    const pieces = [
        ...splitPieces(validator, '<'),
        ...(submission === null ? [] : splitPieces(submission, '>')),
    ];
    pieces.sort((a, b) => a.at - b.at);
    let text = '';
    let side = '';
    let isLineEnd = true;
    for (const piece of pieces) {
        if (!isLineEnd && piece.side !== side) {
            text += '\n';
            isLineEnd = true;
        }
        ({ side } = piece);
        for (const line of piece.text.split(/(?<=\n)/)) {
            if (line === '') continue;
            text += isLineEnd ? `${side} ${line}` : line;
            isLineEnd = line.endsWith('\n');
        }
    }
    return text;
}

function* splitPieces({ stdout, pieces }: RunReport, side: Piece['side']): Generator<Piece> {
    if (!Buffer.isBuffer(stdout)) return;
    let from = 0;
    for (const { at, bytes } of pieces) {
        const to = Math.min(from + bytes, stdout.length, MAX_BYTES);
        if (to <= from) return;
        yield { at, side, text: stdout.subarray(from, to).toString() };
        from = to;
    }
}
