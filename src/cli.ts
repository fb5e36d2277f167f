import { closeSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { main, onlyPrints, reportFailure } from './cli/main.js';
import { bookStrayError } from './util/foreign-code.js';
import { findLiteralSecret, maskLiteralSecrets } from './util/secrets.js';

/*
 * The entry of bin/resume-run.js: runs one command line and ends the process. Nothing else calls process.exit.
 */

// By default V8 lets garbage grow to more than three times the live heap before it collects: a run of days would look like a
// leak.
setFlagsFromString('--heap-growing-percent=100');
// By default V8 would repeatedly inline large parts of our many small functions, on threads that tasks need: without that a start
// takes a tenth less CPU, and a long run no more.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');

const argv = process.argv.slice(2);

const terminals = [0, 1, 2].filter((fd) => isatty(fd));

let isStdoutLost = false;

// A failure to print must not end a run: everything is in the files too. A reader that went away (`resume-run report | head`) has
// seen enough; a full disk or a dead terminal must be reported.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isStdoutLost || error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
    isStdoutLost = true;
    process.stderr.write(
        `resume-run: cannot write to stdout (${error.code ?? error.message}); the rest is not shown\n`,
    );
});
process.stderr.on('error', () => {});

// Every user may list processes with their arguments, so anything that looks like a secret is removed from ours as early as
// possible.
if (findLiteralSecret(argv) !== null) process.title = ['resume-run', ...maskLiteralSecrets(argv)].join(' ');

const fail = (error: unknown): number => reportFailure(error, argv);

let ending = false;

// A task that calls process.exit (in async mode tasks run in this process), or whose last promise never settles: not our code.
process.on('exit', () => {
    if (ending) return;
    process.exitCode = 1;
    writeSync(
        2,
        'resume-run: the process was ended by a task before the run was through; what had finished is saved. ' +
            'Start again with --mode process, where a task can only end its own worker\n',
    );
});

/** Ends the process once all output has been written. */
function exit(code: number): void {
    ending = true;
    const end = (): void => {
        releaseLostTerminals();
        // A closed terminal: the parent must see a death by SIGHUP. The handlers are off by now.
        if (code === 129) process.kill(process.pid, 'SIGHUP');
        process.exit(withLostOutput(code));
    };
    // A failed write is reported only after the callbacks of later writes.
    process.stdout.write('', () => setImmediate(() => process.stderr.write('', end)));
}

/** At exit Node 20 restores the settings of its terminals, and aborts (SIGABRT) if one of them has been closed. */
function releaseLostTerminals(): void {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
}

/** A run's results are in its files; other commands have only their output. */
function withLostOutput(code: number): number {
    return isStdoutLost && code === 0 && onlyPrints(argv) ? 4 : code;
}

process.on('uncaughtException', (error) => {
    // In async mode a module runs in this process: an error that it leaves unhandled is a failure of its task.
    if (!bookStrayError(error)) exit(fail(error));
});
exit(await main(argv).catch(fail));
