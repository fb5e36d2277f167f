import { describe, expect, it } from 'vitest';
import { findCompilerTrouble, runTrouble } from '../../../src/executor/servers/machine-trouble.js';

const CAPTURED = { status: 'Finished', execution_time: 0.1, return_code: 1, stdout: '', stderr: '' } as const;

describe('trouble of a compiler', () => {
    it('is looked for in stdout too, where some compilers write', () => {
        const words = 'g++: fatal error: Killed signal terminated program cc1plus';
        for (const stream of ['stdout', 'stderr'] as const) {
            expect(findCompilerTrouble({ ...CAPTURED, [stream]: words })).toBe(
                'Killed signal terminated program',
            );
        }
        expect(findCompilerTrouble({ ...CAPTURED, stdout: 'main.ts(1,1): error TS1005' })).toBeNull();
    });

    it('is told by how it ended', () => {
        expect(findCompilerTrouble({ ...CAPTURED, return_code: 127 })).toMatch(/command was not found/);
        expect(findCompilerTrouble({ ...CAPTURED, return_code: -9 })).toMatch(/SIGKILL/);
        expect(findCompilerTrouble(CAPTURED)).toBeNull();
    });
});

describe('trouble of a run', () => {
    it('is looked for only where it did not end well', () => {
        const words = 'bash: fork: Resource temporarily unavailable';
        expect(runTrouble({ ...CAPTURED, stdout: words })).toMatch(/^fork/i);
        expect(runTrouble({ ...CAPTURED, stdout: words, return_code: 0 })).toBeNull();
    });
});
