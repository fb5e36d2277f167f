export type Paint = (text: string) => string;

/** Colours text, or leaves it unchanged. */
export interface Style {
    readonly bold: Paint;
    readonly dim: Paint;
    readonly red: Paint;
    readonly green: Paint;
    readonly yellow: Paint;
}

const leavePlain: Paint = (text) => text;

export const PLAIN: Style = {
    bold: leavePlain,
    dim: leavePlain,
    red: leavePlain,
    green: leavePlain,
    yellow: leavePlain,
};

const makePaint =
    (on: number, off: number): Paint =>
    (text) =>
        text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

export const COLOURED: Style = {
    bold: makePaint(1, 22),
    dim: makePaint(2, 22),
    red: makePaint(31, 39),
    green: makePaint(32, 39),
    yellow: makePaint(33, 39),
};

/**
 * Chooses colours only for terminals, unless NO_COLOR or FORCE_COLOR (any value except empty and 0) overrides that; NO_COLOR
 * wins.
 */
export function chooseStyle(
    stream: { readonly isTTY?: boolean | undefined },
    env: Readonly<Record<string, string | undefined>>,
): Style {
    if ((env['NO_COLOR'] ?? '') !== '') return PLAIN;
    const force = env['FORCE_COLOR'] ?? '';
    if (force !== '') return force === '0' || force === 'false' ? PLAIN : COLOURED;
    return stream.isTTY === true && env['TERM'] !== 'dumb' ? COLOURED : PLAIN;
}
