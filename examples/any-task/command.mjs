#!/usr/bin/env node
// Runs a command for each task:
//   npx resume-run examples/any-task/pi.rows --dir pi --executor exec --exit-verdict 3=WrongAnswer --keep-output all \
//       -- node examples/any-task/command.mjs {id} {index} {input}
// Any language will do. `{input}` is a file with the task's JSON; without it, the JSON comes on stdin.
import { readFileSync } from 'node:fs';
import { estimatePi } from './estimate.mjs';

const [id, index, input] = process.argv.slice(2);
const estimate = estimatePi(JSON.parse(readFileSync(input, 'utf8')));
console.log(`${id} ${index}: ${estimate}`);
// 0 is Accepted and 3 is what --exit-verdict says; any other exit code is a failure, which is tried again and then listed.
if (Math.abs(estimate - Math.PI) >= 0.05) process.exitCode = 3;
