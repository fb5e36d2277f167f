import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, retryAfter } from '../../src/endpoint/retry-after.js';

const NOW = Date.parse('2026-11-21T10:00:00Z');

describe('retryAfter', () => {
    it.each([
        [{ 'retry-after': '120' }, 120_000],
        [{ 'retry-after': '0' }, 0],
        [{ 'retry-after': '1.5' }, 1500],
        [{ 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT' }, 30_000],
        [{ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, 0],
        [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
        [{ 'retry-after': ['7', '8'] }, 7000],
        [{ 'retry-after': '999999999' }, MAX_RETRY_AFTER_MS],
        [{ 'retry-after': '-5' }, null],
        [{ 'retry-after': 'soon' }, null],
        [{ 'retry-after': '' }, null],
        [{}, null],
    ])('%j asks for %s ms', (headers, expected) => {
        expect(retryAfter(headers, NOW)).toBe(expected);
    });
});
