import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, type RunnerTestFile } from 'vitest';
import { endTest } from './endings.js';
import { noteTest } from './run-folder.js';

declare module 'vitest' {
    interface TaskMeta {
        /** CPU seconds of the file's tests and of the processes they started and waited for. */
        cpuSeconds?: number;
    }
}

/** Linux reports hundredths of a second in /proc, whatever its own tick is. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of this process so far, including its children that have ended (fields 14 to 17 of proc(5) stat). */
function cpuSeconds(): number | undefined {
    if (process.platform !== 'linux') return undefined;
    const fields = readFileSync('/proc/self/stat', 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

// Vitest's setup file, run at the start of each test file.
const before = cpuSeconds();
let file: RunnerTestFile | undefined;

beforeEach(({ task }) => {
    file = task.file;
    noteTest(`${file.name} > ${task.name}`);
});

afterEach(endTest);

afterAll(() => {
    const after = cpuSeconds();
    if (file !== undefined && before !== undefined && after !== undefined)
        file.meta.cpuSeconds = after - before;
});
