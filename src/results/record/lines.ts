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
