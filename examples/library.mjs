// resume-run as a library: `node examples/library.mjs`. When started again, it only does what is left.
import { open } from 'resume-run';

const run = await open({
    datasets: [new URL('problems.jsonl', import.meta.url).pathname],
    only: ['big-sum', 'two-squares'],
    dir: 'library-results',
    timeout: 10,
});

// What is left is determined before anything runs.
console.log(`${run.plan.part.finished} tasks finished before, ${run.plan.part.due} to run`);

// First Ctrl-C: start nothing more, let running tasks finish, save. Second: stop now.
process.on('SIGINT', () => run.abort());

for await (const event of run.events()) {
    // The result is on disk by the time this event arrives.
    if (event.type === 'task-finished') {
        console.log(`${event.sample} ${event.group} ${event.index}: ${event.verdict}`);
    }
}

const end = await run.finished;
console.log(`${end.outcome}: ${end.committed} tasks in ${end.duration.toFixed(1)} s`);
const wrong = end.totals.unexpectedCount;
console.log(wrong === 0 ? 'every verdict was expected' : `${wrong} verdicts were not expected`);
