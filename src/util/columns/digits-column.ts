import { NumberColumn } from './number-column.js';

const LOW_DIGITS = 9;

/** Decimal numbers of 18 digits and more, such as nanoseconds, which are text elsewhere; any other text is kept unchanged. */
export class DigitsColumn {
    /** Everything before the last nine digits. */
    readonly #high = new NumberColumn();
    readonly #low = new NumberColumn();
    readonly #others = new Map<number, string>();

    /** The first texts, unpacked. */
    readonly #given: string[];

    /** @param given its first texts, which stay as they are: for a few thousand, packing is not worthwhile */
    constructor(given: readonly string[] = []) {
        this.#given = [...given];
    }

    push(text: string): void {
        this.#high.push(0);
        this.#low.push(0);
        this.set(this.#given.length + this.#low.length - 1, text);
    }

    /** @param position below the number of texts */
    set(position: number, text: string): void {
        if (position < this.#given.length) {
            this.#given[position] = text;
            return;
        }
        const place = position - this.#given.length;
        const isKept = isDigits(text);
        const cut = Math.max(0, text.length - LOW_DIGITS);
        this.#high.set(place, isKept ? readDigits(text, 0, cut) : 0);
        this.#low.set(place, isKept ? readDigits(text, cut, text.length) : 0);
        if (!isKept) this.#others.set(place, text);
        else if (this.#others.size > 0) this.#others.delete(place);
    }

    /** Whether exactly this text is at a place below the number of texts. */
    isAt(position: number, text: string): boolean {
        const given = this.#given[position];
        if (given !== undefined) return given === text;
        const place = position - this.#given.length;
        if (!isDigits(text)) return this.#others.get(place) === text;
        const cut = Math.max(0, text.length - LOW_DIGITS);
        return (
            this.#low.at(place) === readDigits(text, cut, text.length) &&
            this.#high.at(place) === readDigits(text, 0, cut) &&
            !this.#others.has(place)
        );
    }

    /** The text at a place below the number of texts. */
    at(position: number): string {
        const given = this.#given[position];
        if (given !== undefined) return given;
        const place = position - this.#given.length;
        return this.#others.get(place) ?? this.#join(place);
    }

    #join(place: number): string {
        const high = this.#high.at(place);
        const low = String(this.#low.at(place));
        return high === 0 ? low : `${high}${low.padStart(LOW_DIGITS, '0')}`;
    }
}

/** Whether a text is a decimal number in its usual form whose digits fit into the two columns. */
function isDigits(text: string): boolean {
    if (text.length === 0 || text.length > 24 || (text.length > 1 && text.charCodeAt(0) === ZERO))
        return false;
    for (let i = 0; i < text.length; i += 1) {
        const digit = text.charCodeAt(i) - ZERO;
        if (digit < 0 || digit > 9) return false;
    }
    return true;
}

const ZERO = 0x30;

function readDigits(text: string, from: number, to: number): number {
    let value = 0;
    for (let i = from; i < to; i += 1) value = value * 10 + text.charCodeAt(i) - ZERO;
    return value;
}
