/*
 * Puts results into a spool, each made durable before the next: node spool-writer.mjs <folder> <count>
 */
import { ResultCollector } from '../../dist/legacy.js';

const [tempDir = '', count = '0'] = process.argv.slice(2);
const collector = new ResultCollector({ tempDir });
for (let n = 0; n < Number(count); n += 1)
    await collector.addBatchResult('m', [
        { task_id: `${process.pid}-${n}`, success: true, execution_time: n },
    ]);
