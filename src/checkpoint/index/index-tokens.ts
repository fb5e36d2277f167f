import type { Json } from '../../model/json.js';
import type { ValueColumn } from '../../model/value-column.js';
import type { DigitsColumn } from '../../util/columns/digits-column.js';
import type { NumberColumn } from '../../util/columns/number-column.js';
import type { TextArray } from '../../util/columns/text-array.js';

/** JSON read value by value; the caller says what it expects next. Every method throws SyntaxError if something else follows. */
export interface IndexTokens {
    /** Calls `read` for each member of the next object; `read` takes the value. */
    members(read: (key: string) => void): void;
    /** Calls `read` for each item of the next array; `read` takes the item. */
    items(read: (position: number) => void): void;
    readonly isString: boolean;
    string(): string;
    count(): number;
    value(): Json;
    /** Whole arrays. */
    texts(): TextArray;
    counts(): NumberColumn;
    values(): ValueColumn;
    digits(): { readonly column: DigitsColumn; readonly length: number };
    /** Nothing may follow. */
    finish(): void;
}
