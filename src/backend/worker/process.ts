import { createExecutor } from '../../executor/kinds.js';
import { watchStrayErrors } from '../../util/foreign-code.js';
import { Calls } from './calls.js';
import type { FromProcess, ToProcess } from './messages.js';
import { TaskServer } from './serve.js';

/*
 * Entry of a forked worker. The channel to the main process is its life line: when it closes, the worker ends and takes
 * its programs with it, so that a `kill -9` of the main process leaves nothing behind.
 */
watchStrayErrors();

let server: TaskServer | null = null;
const calls = new Calls(String(process.pid), (call) => answer(call));

const answer = (message: FromProcess): void => {
    if (process.connected) process.send?.(message);
};

process.on('message', (raw) => {
    const message = raw as ToProcess;
    switch (message.type) {
        case 'start':
            server = new TaskServer(createExecutor(message.descriptor), (line) =>
                answer({ type: 'log', line }),
            );
            return;
        case 'run':
            void server
                ?.run(message.key, message.task, calls.mainFor(message.key))
                .then((served) => answer({ type: 'done', key: message.key, served }));
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

// A terminal's Ctrl-C reaches the whole group: only the main process decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
