import { describe, expect, it } from 'vitest';
import { explainSlowness } from '../../../src/executor/judge/run-test-script.js';

describe('a script that runs out of time', () => {
    const standIns = new Map([['pypy3', 'python3']]);

    it.each(['cpu', 'wall'] as const)('says at its %s limit which program would be quicker', (limit) => {
        expect(explainSlowness(limit, standIns)).toBe(
            `it was stopped at its ${limit} limit; install pypy3; the slower python3 is used in its place`,
        );
    });

    it('says nothing of programs that are there, or of other limits', () => {
        expect(explainSlowness('cpu', new Map())).toBeNull();
        expect(explainSlowness('memory', standIns)).toBeNull();
        expect(explainSlowness(null, standIns)).toBeNull();
    });
});
