import { pino, type Logger } from 'pino';
import { dropLongResult } from '../../model/event-size.js';
import type { RunEvent } from '../../model/event.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { getMessage } from '../../util/message.js';
import { escapeJson } from '../../util/printable.js';
import { maskSecrets } from '../../util/secrets.js';
import { UserError } from '../../util/user-error.js';
import type { Reporter } from './reporter.js';
import { RotatingFile } from './rotating-file.js';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface LogFileOptions {
    readonly path: string;
    readonly level: LogLevel;
    /** Bytes; the file before it is kept as `<path>.1`. */
    readonly bound?: number;
    /** Told once if the log can be written no longer; the run goes on. */
    readonly onProblem: (message: string) => void;
}

const BOUND = 64 * 1024 * 1024;

/** `--log-file`: events as JSON lines with time and level. */
export class LogFile implements Reporter {
    private readonly file: RotatingFile;
    private readonly logger: Logger;

    /** @throws UserError (exit 2) if the file cannot be opened */
    constructor({ path, level, bound, onProblem }: LogFileOptions) {
        try {
            this.file = new RotatingFile(path, bound ?? BOUND, (error) =>
                onProblem(`log file ${path} can be written no longer: ${getMessage(error)}`),
            );
        } catch (error) {
            const why = getIoCode(error) === 'ENOENT' ? 'its folder does not exist' : readReason(error);
            throw new UserError(`--log-file ${path} cannot be opened: ${why}`, 2, {
                cause: error,
            });
        }
        const destination = { write: (line: string) => this.file.write(escapeJson(withoutSecrets(line))) };
        this.logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
    }

    onEvent(event: RunEvent): void {
        // Results are in the result files.
        const { at: _, ...rest } = dropLongResult(event, 0);
        // The line has a level of its own, and no key twice.
        const { level: __, ...fields } = { level: null, ...rest };
        this.logger[chooseLevel(event)](fields);
    }

    /** A line of an executor or of the run itself, at level `debug`. */
    debug(message: string): void {
        this.logger.debug(message);
    }

    close(): void {
        this.file.close();
    }
}

function chooseLevel(event: RunEvent): Exclude<LogLevel, 'silent'> {
    switch (event.type) {
        case 'task-failed':
            return 'error';
        case 'task-retried':
        case 'paused':
        case 'stopping':
            return 'warn';
        case 'notice':
            return event.level === 'warning' ? 'warn' : 'info';
        case 'run-started':
        case 'run-finished':
        case 'sample-finished':
        case 'concurrency-changed':
        case 'resumed':
        // What a user's module has to say is what its log is for.
        case 'task-log':
            return 'info';
        case 'sample-started':
        case 'task-started':
        case 'task-finished':
        case 'endpoint-changed':
            return 'debug';
    }
}

/** Passwords in addresses and bearer tokens do not belong in a log, wherever they came from. */
function withoutSecrets(line: string): string {
    return maskSecrets(line)
        .replace(/(:\/\/)[^\s/@"\\]+@/g, '$1***@')
        .replace(/\b(bearer|token|api[_-]?key)(["'\s:=]+)[\w.~+/-]{8,}=*/gi, '$1$2***');
}
