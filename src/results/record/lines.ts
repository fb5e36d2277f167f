import { type BriefRecord, type ResultRecord, recordLine } from './record.js';

/** Records as JSON lines, each with its line break. */
export async function* recordLines(records: AsyncIterable<readonly ResultRecord[]>): AsyncGenerator<string> {
    for await (const some of records) {
        if (some.length > 0) yield some.map((one) => `${recordLine(one)}\n`).join('');
    }
}

/** The same for brief records, for callers that need no other fields. */
export async function* briefLines(records: AsyncIterable<readonly BriefRecord[]>): AsyncGenerator<string> {
    for await (const some of records) {
        if (some.length > 0) yield some.map((one) => `${JSON.stringify(one)}\n`).join('');
    }
}

/** Bytes of the longest of some lines, which the engine must know before it reads them: by itself it takes no more than 16 MB. */
export class LongestLine {
    bytes = 0;

    /** @returns the line itself */
    add(line: string): string {
        // A UTF-16 unit has at most three bytes in UTF-8; few lines are so long that it matters how many exactly.
        if (3 * line.length > this.bytes) this.bytes = Math.max(this.bytes, Buffer.byteLength(line));
        return line;
    }
}
