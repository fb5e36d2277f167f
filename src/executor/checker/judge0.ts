import { makeByteSet } from './bytes.js';
import type { Comparer } from './comparison.js';
import { LineComparer } from './lines.js';

/** Judge0 strips lines with Ruby's rstrip, which treats NUL as white space too. */
const RUBY_SPACES = makeByteSet([0, 9, 11, 12, 13, 32]);

export function judge0Comparer(): Comparer {
    return new LineComparer(RUBY_SPACES);
}
