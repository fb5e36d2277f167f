import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
    compareOutput,
    compareStreams,
    chooseComparer,
    type Comparison,
} from '../../../src/executor/checker/compare.js';
import type { BuiltInChecker } from '../../../src/model/sample.js';

/** A folder with an output and an answer, rewritten for each comparison. */
export class Bench implements Disposable {
    private readonly dir = mkdtempSync(join(tmpdir(), 'checker-'));
    readonly output = join(this.dir, 'output');
    readonly answer = join(this.dir, 'answer');

    /** Compares in memory and by streaming, and requires both to agree. */
    async compare(
        checker: BuiltInChecker,
        output: string | Buffer,
        answer: string | Buffer,
    ): Promise<Comparison> {
        writeFileSync(this.output, output);
        writeFileSync(this.answer, answer);
        const inMemory = await compareOutput(checker, Buffer.from(output), { path: this.answer }, null);
        const streamed = await compareStreams(
            chooseComparer(checker, null),
            { path: this.output },
            { path: this.answer },
        );
        expect(streamed.accepted).toBe(inMemory.accepted);
        expect(inMemory.message === null).toBe(inMemory.accepted);
        return inMemory;
    }

    /** In memory only, for comparing the rule itself with something else thousands of times. */
    async acceptsInMemory(checker: BuiltInChecker, output: string, answer: string): Promise<boolean> {
        writeFileSync(this.answer, answer);
        return (await compareOutput(checker, Buffer.from(output), { path: this.answer }, null)).accepted;
    }

    async accepts(
        checker: BuiltInChecker,
        output: string | Buffer,
        answer: string | Buffer,
    ): Promise<boolean> {
        return (await this.compare(checker, output, answer)).accepted;
    }

    [Symbol.dispose](): void {
        rmSync(this.dir, { recursive: true });
    }
}
