/*
 * A judge in a separate process, which can run as another user: tasks arrive as JSON lines on stdin, outcomes are written as JSON
 * lines to stdout.
 *   node judge-child.mjs DIST DESCRIPTOR COMPILE_LIMITS
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [dist, descriptor, compileLimits] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(dist, name)).href);
const { createJudge } = await load('executor/judge/judge.js');
const { probeSandbox } = await load('executor/sandbox/probe.js');

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const { sandbox } = JSON.parse(descriptor);
const problem = await probeSandbox(sandbox).then(
    () => null,
    (error) => error.message,
);
say({ problem });
if (problem === null) {
    const judge = await createJudge(JSON.parse(descriptor), JSON.parse(compileLimits));
    const { signal } = new AbortController();
    const running = new Set();
    for await (const line of createInterface({ input: process.stdin })) {
        const { id, task } = JSON.parse(line);
        const done = judge.run(task, { signal, log: () => {} }).then(
            (outcome) => say({ id, outcome }),
            (error) => say({ id, error: String(error) }),
        );
        running.add(done);
        void done.finally(() => running.delete(done));
    }
    await Promise.all(running);
    await judge.close();
}
