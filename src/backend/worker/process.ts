import { createExecutor } from '../../executor/kinds.js';
import type { Served } from '../../model/task.js';
import { watchStrayErrors } from '../../util/foreign-code.js';
import { Calls } from './calls.js';
import { GATE_FD } from './gate.js';
import type { FromProcess, Job, ToProcess } from './messages.js';
import { TaskServer } from './serve.js';
import { JobTurns } from './turns.js';

/*
 * Entry of a forked worker. The channel to the main process is its life line: when it closes, the worker ends its programs and
 * exits, so that a `kill -9` of the main process leaves nothing behind.
 */
watchStrayErrors();

let server: TaskServer | null = null;
const calls = new Calls(String(process.pid), (call) => answer(call));

const answer = (message: FromProcess): void => {
    // If the main process is gone, no answer is needed: the channel's end ends this process.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
};

const serve = async ({ key, task }: Job): Promise<Served> => {
    if (server === null) throw new Error('bug in resume-run: a job before its executor');
    return server.run(key, task, calls.mainFor(key));
};

const turns = new JobTurns(GATE_FD, serve, answer);

process.on('message', (raw) => {
    const message = raw as ToProcess;
    switch (message.type) {
        case 'start':
            server = new TaskServer(createExecutor(message.descriptor), (line) =>
                answer({ type: 'log', line }),
            );
            return;
        case 'run':
            void serve(message).then((served) =>
                answer({ type: 'done', done: [{ key: message.key, served }] }),
            );
            return;
        case 'run-in-turn':
            turns.add(message.jobs);
            return;
        case 'abort':
            server?.abort(message.key);
            return;
        case 'reply':
            calls.take(message);
            return;
    }
});

process.on('disconnect', () => {
    // An executor that does not close in time must not keep an orphan alive.
    setTimeout(() => process.exit(0), 2000).unref();
    void Promise.resolve(server?.close()).finally(() => process.exit(0));
});

// A terminal's Ctrl-C reaches the whole group, but only the main process decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
