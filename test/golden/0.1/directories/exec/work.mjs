import { existsSync, readFileSync } from 'node:fs';

// The task comes on stdin; `broken` and `slow` are files that were there when 0.1 ran.
const { seed } = JSON.parse(readFileSync(0, 'utf8'));
if (existsSync('broken') && seed === 2) process.exit(3);
if (existsSync('slow') && seed > 20) await new Promise((resolve) => setTimeout(resolve, 60_000));
if (seed === 11) process.exitCode = 1;
console.log(JSON.stringify({ square: seed * seed }));
