import { expect, it } from 'vitest';
import { findNearest } from '../../src/util/nearest.js';

it.each([
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['limt', 'limit'],
    ['retires', 'retries'],
    ['zebra', null],
    ['', null],
])('%j is meant as %j', (word, meant) => {
    expect(findNearest(word, ['timeout', 'limit', 'limits', 'retries'])).toBe(meant);
});
