/*
 * Puts results into a spool until it is killed, and prints the id of each once it is durable. node spool-results.mjs <folder>
 * <name> <mean pause between them in milliseconds>
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ResultCollector } from '../../dist/legacy.js';

const [tempDir = '', name = '', mean = '0'] = process.argv.slice(2);
const collector = new ResultCollector({ tempDir });
for (let at = 0; ; at += 1) {
    const id = `${name}-${at}`;
    await collector.addBatchResult('m', [{ task_id: id, success: at % 3 > 0, execution_time: at }]);
    process.stdout.write(`${id}\n`);
    await pause(Math.random() * 2 * Number(mean));
}
