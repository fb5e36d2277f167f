import { closeSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { main, onlyPrints, reportFailure } from './cli/main.js';
import { bookStrayError } from './util/foreign-code.js';
import { findLiteralSecret, maskLiteralSecrets } from './util/secrets.js';

/*
 * The entry of bin/resume-run.js: runs one command line and ends the process. Nothing else calls process.exit.
 */

// Left alone, V8 lets garbage grow to over three times what is alive before it collects: a run of days would look like a leak.
setFlagsFromString('--heap-growing-percent=100');
// Of our many small functions V8 would compile large pieces again and again into one another, on threads that tasks need: without
// that a start takes a tenth less of the processor, and a long run no more.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');

const argv = process.argv.slice(2);

const terminals = [0, 1, 2].filter((fd) => isatty(fd));

let isStdoutLost = false;

// What cannot be shown must not end a run: what would have been read is in the files. A reader that went away
// (`resume-run report | head`) has seen enough; of a full disk or a dead terminal people must hear.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isStdoutLost || error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
    isStdoutLost = true;
    process.stderr.write(
        `resume-run: cannot write to stdout (${error.code ?? error.message}); the rest is not shown\n`,
    );
});
process.stderr.on('error', () => {});

// Everybody may list processes with their arguments: what looks like a secret is not among them for longer than it takes to get here.
if (findLiteralSecret(argv) !== null) process.title = ['resume-run', ...maskLiteralSecrets(argv)].join(' ');

const fail = (error: unknown): number => reportFailure(error, argv);

let ending = false;

// A task that calls process.exit (in async mode tasks run in here), or whose last promise never settles: no code of ours.
process.on('exit', () => {
    if (ending) return;
    process.exitCode = 1;
    writeSync(
        2,
        'resume-run: the process was ended by a task before the run was through; what had finished is saved. ' +
            'Start again with --mode process, where a task can only end its own worker\n',
    );
});

/** Ends the process once everything written has left it. */
function exit(code: number): void {
    ending = true;
    const end = (): void => {
        releaseLostTerminals();
        // A closed terminal: whoever waits for us sees the death that SIGHUP means. The handlers are off by now.
        if (code === 129) process.kill(process.pid, 'SIGHUP');
        process.exit(withLostOutput(code));
    };
    // What could not be written is told after the callbacks of what came next.
    process.stdout.write('', () => setImmediate(() => process.stderr.write('', end)));
}

/** At exit Node 20 restores the settings of its terminals, and aborts (SIGABRT) where one of them was closed meanwhile. */
function releaseLostTerminals(): void {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
}

/** A run's results are in their files; other commands have nothing but what they print. */
function withLostOutput(code: number): number {
    return isStdoutLost && code === 0 && onlyPrints(argv) ? 4 : code;
}

process.on('uncaughtException', (error) => {
    // In async mode a module runs in here: what it leaves unhandled is a failure of its task.
    if (!bookStrayError(error)) exit(fail(error));
});
exit(await main(argv).catch(fail));
