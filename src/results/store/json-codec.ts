import { rename } from 'node:fs/promises';
import { openFile } from '../../host/open-file.js';
import { parseRecord, type ResultRecord } from '../record/record.js';
import { type PartCodec, PartError } from './part-codec.js';

const PART_BYTES = 100 * 1024 * 1024;
const LINE_FEED = 0x0a;

export const JSON_CODEC: PartCodec = {
    extension: '.jsonl',
    linesPerPart: PART_BYTES,
    encode: (lines, target) => rename(lines.path, target),
    readRecords,
    readLines: readLineBatches,
};

async function* readRecords(path: string): AsyncGenerator<readonly ResultRecord[]> {
    let line = 0;
    for await (const lines of readLineBatches(path)) {
        const records: ResultRecord[] = [];
        for (const text of lines) {
            line += 1;
            records.push(parseLine(path, line, text));
        }
        yield records;
    }
}

function parseLine(path: string, line: number, text: string): ResultRecord {
    try {
        return parseRecord(JSON.parse(text));
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new PartError(path, `line ${line}: ${why}`, { cause: error });
    }
}

/**
 * The whole lines of a file, one block at a time.
 * @throws PartError if the last line has no line break: the file was truncated
 */
export async function* readLineBatches(path: string): AsyncGenerator<readonly string[]> {
    let rest: Buffer[] = [];
    const file = await openFile(path);
    for await (const chunk of file.createReadStream({
        highWaterMark: 1024 * 1024,
    }) as AsyncIterable<Buffer>) {
        const end = chunk.lastIndexOf(LINE_FEED);
        if (end === -1) {
            rest.push(chunk);
            continue;
        }
        rest.push(chunk.subarray(0, end));
        yield Buffer.concat(rest).toString().split('\n');
        rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    }
    if (rest.length > 0) throw new PartError(path, 'the last line is cut');
}
