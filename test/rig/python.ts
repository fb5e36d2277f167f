import { execFileSync } from 'node:child_process';

/** A Python with the packages that readers of the database use. Returns null, and prints the reason, if there is none. */
export function findPythonReaders(): string | null {
    const python = process.env['RESUME_RUN_TEST_PYTHON'] ?? 'python3';
    try {
        execFileSync(python, ['-c', 'import pandas, pyarrow, duckdb'], { stdio: 'ignore' });
        return python;
    } catch {
        console.warn(`skipped: ${python} has no pandas, pyarrow and duckdb (set RESUME_RUN_TEST_PYTHON)`);
        return null;
    }
}
