import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openFile } from '../host/open-file.js';
import { readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';
import type { Preflight } from './executor-kind.js';

/** Timeout for loading in milliseconds; a module that takes longer is assumed to be slow rather than broken. */
const LOAD_TIMEOUT_MS = 30_000;

const TRIAL = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.url).then(
    (module) => {
        const mode = module.mode === undefined || typeof module.mode === 'string' ? module.mode : typeof module.mode;
        parentPort.postMessage({ type: typeof module[workerData.name], names: Object.keys(module), mode });
    },
    (error) => parentPort.postMessage({ problem: String(error?.message ?? error), stack: String(error?.stack ?? '') }),
);`;

type Trial =
    | {
          readonly type: string;
          readonly names: readonly string[];
          /** Its export `mode`. */
          readonly mode?: string;
          readonly problem?: undefined;
      }
    | { readonly problem: string; readonly stack: string };

/**
 * Checks that a module exports a function of that name. The module is loaded in a separate thread, so that side effects of
 * loading are confined to it.
 * @returns the mode that it exports as `mode`
 * @throws UserError
 */
export async function tryModule(file: string, name: string): Promise<Preflight> {
    const reason = await openFile(file).then((handle) => handle.close().then(() => null), readReason);
    if (reason !== null) throw new UserError(`--module ${file} cannot be read: ${reason}`);
    const workerData = { url: pathToFileURL(file).href, name };
    // Whatever it prints while loading will be printed again later; here it would only interfere with --json.
    const worker = new Worker(TRIAL, { eval: true, workerData, stdout: true, stderr: true });
    try {
        const said = await new Promise<Trial | null>((resolve) => {
            const patience = setTimeout(() => resolve(null), LOAD_TIMEOUT_MS);
            const answer = (trial: Trial): void => {
                clearTimeout(patience);
                resolve(trial);
            };
            worker.once('message', answer);
            worker.once('error', (error: Error) =>
                answer({ problem: error.message, stack: error.stack ?? '' }),
            );
            worker.once('exit', (code) =>
                answer({ problem: `it ended its thread (exit code ${code})`, stack: '' }),
            );
        });
        if (said === null) return {};
        if (said.problem !== undefined) {
            throw new UserError(`--module ${file} cannot be loaded: ${said.problem}${placeIn(said.stack)}`);
        }
        if (said.type !== 'function') {
            const names = said.names.length === 0 ? 'nothing' : said.names.join(', ');
            throw new UserError(`--module ${file} exports no function named ${name}; it exports ${names}`);
        }
        return readPreflight(file, said.mode);
    } finally {
        await worker.terminate();
    }
}

function readPreflight(file: string, mode: string | undefined): Preflight {
    if (mode === undefined) return {};
    if (mode === 'thread' || mode === 'process' || mode === 'async') return { mode };
    const got = JSON.stringify(mode.slice(0, 40));
    throw new UserError(
        `--module ${file}: expected its export mode to be thread, process or async, got ${got}`,
    );
}

/** A SyntaxError's message does not contain its location, but its stack begins with it. */
function placeIn(stack: string): string {
    const line = /^file:\S*:(\d+)$/m.exec(stack.split('\n', 1)[0] ?? '')?.[1];
    return line === undefined ? '' : ` (line ${line})`;
}
