import type { Json } from '../../model/json.js';
import type { ValueColumn } from '../../model/value-column.js';
import type { DigitsColumn } from '../../util/columns/digits-column.js';
import type { NumberColumn } from '../../util/columns/number-column.js';
import type { TextArray } from '../../util/columns/text-array.js';

/** JSON that is read value by value; whoever reads says what comes next. All throw SyntaxError where something else comes. */
export interface IndexTokens {
    /** Calls `read` for each member of the object that comes; it reads the value. */
    members(read: (key: string) => void): void;
    /** Calls `read` for each item of the array that comes; it reads the item. */
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
