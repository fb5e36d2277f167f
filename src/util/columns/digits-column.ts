import { NumberColumn } from './number-column.js';

const LOW_DIGITS = 9;

/** Decimal numbers of up to 18 digits and more, such as nanoseconds, kept as text elsewhere; any other text is kept as it is. */
export class DigitsColumn {
    /** Everything before the last nine digits. */
    readonly #high = new NumberColumn();
    readonly #low = new NumberColumn();
    readonly #others = new Map<number, string>();

    push(text: string): void {
        this.#high.push(0);
        this.#low.push(0);
        this.set(this.#low.length - 1, text);
    }

    /** @param place below the number of texts */
    set(place: number, text: string): void {
        const cut = Math.max(0, text.length - LOW_DIGITS);
        const [high, low] = [Number(text.slice(0, cut)), Number(text.slice(cut))];
        this.#high.set(place, isCount(high) ? high : 0);
        this.#low.set(place, isCount(low) ? low : 0);
        if (this.#join(place) === text) this.#others.delete(place);
        else this.#others.set(place, text);
    }

    /** The text at a place below the number of texts. */
    at(place: number): string {
        return this.#others.get(place) ?? this.#join(place);
    }

    #join(place: number): string {
        const high = this.#high.at(place);
        const low = String(this.#low.at(place));
        return high === 0 ? low : `${high}${low.padStart(LOW_DIGITS, '0')}`;
    }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
