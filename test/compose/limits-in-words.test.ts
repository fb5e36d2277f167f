import { describe, expect, it } from 'vitest';
import { describeLimits } from '../../src/compose/limits-in-words.js';
import type { LimitOptions } from '../../src/model/limits.js';

const options = (more: Partial<LimitOptions> = {}): LimitOptions => ({
    policy: null,
    timeout: 20,
    timeFactor: 1,
    timeSafety: 1,
    memory: null,
    output: null,
    ...more,
});

const ROWS = { format: 'code-contests', limitPolicy: 'flat' } as const;
const PLAIN = { format: 'plain', limitPolicy: 'own' } as const;

describe('limitsInWords', () => {
    it('says what the format decides', () => {
        expect(describeLimits(options(), [ROWS])).toBe('time limit: 20 s for every test');
        expect(describeLimits(options(), [PLAIN])).toBe("time limit: the sample's own, at most 20 s");
    });

    it('says both where formats differ', () => {
        expect(describeLimits(options({ timeFactor: 2 }), [ROWS, PLAIN])).toBe(
            "time limit: 20 s for every test (code-contests), the sample's own x 2, at most 20 s (plain)",
        );
    });

    it('names the option that overrides the format', () => {
        expect(describeLimits(options({ policy: 'flat', timeout: 1000 }), [PLAIN])).toBe(
            'time limit: 1000 s for every test (--limits flat)',
        );
    });
});
