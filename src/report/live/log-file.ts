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
    /** Size limit in bytes; the previous file is kept as `<path>.1`. */
    readonly bound?: number;
    /** Called once when the log can no longer be written; the run continues. */
    readonly onProblem: (message: string) => void;
}

const BOUND = 64 * 1024 * 1024;

/** `--log-file`: writes events as JSON lines with time and level. */
export class LogFile implements Reporter {
    private readonly file: RotatingFile;
    private readonly logger: Logger;

    /** @throws UserError (exit 2) if the file cannot be opened */
    constructor({ path, level, bound, onProblem }: LogFileOptions) {
        try {
            this.file = new RotatingFile(path, bound ?? BOUND, (error) =>
                onProblem(`cannot write to the log file ${path} any more: ${getMessage(error)}`),
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
        // The result files have the results.
        const { at: _, ...rest } = dropLongResult(event, 0);
        // The log line has its own level; avoid a duplicate key.
        const { level: __, ...fields } = { level: null, ...rest };
        this.logger[chooseLevel(event)](fields);
    }

    /** Logs a line of an executor or of the run itself, at level `debug`. */
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
        // Users expect the messages of their module in the log.
        case 'task-log':
            return 'info';
        case 'sample-started':
        case 'task-started':
        case 'task-saving':
        case 'task-finished':
        case 'endpoint-changed':
            return 'debug';
    }
}

/** Removes passwords in URLs and bearer tokens, wherever they came from. */
function withoutSecrets(line: string): string {
    return maskSecrets(line)
        .replace(/(:\/\/)[^\s/@"\\]+@/g, '$1***@')
        .replace(/\b(bearer|token|api[_-]?key)(["'\s:=]+)[\w.~+/-]{8,}=*/gi, '$1$2***');
}
