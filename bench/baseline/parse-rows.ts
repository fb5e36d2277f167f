import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/* Reads a JSONL file line by line and parses each line, but does nothing with it. */
const [path = ''] = process.argv.slice(2);

let rows = 0;
for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line !== '' && JSON.parse(line) !== null) rows += 1;
}
if (rows === 0) process.exitCode = 1;
