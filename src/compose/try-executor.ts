import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type KnownDescriptor, PLACEHOLDERS } from '../executor/descriptor.js';
import { findOnPath } from '../executor/sandbox/find-on-path.js';
import { readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';

/**
 * What no task could run with is said before the first of them fails with it: a command that is not there, a module that
 * cannot be loaded.
 * @throws UserError
 */
export async function tryExecutor(descriptor: KnownDescriptor): Promise<void> {
    switch (descriptor.kind) {
        case 'exec':
            return tryCommand(descriptor.argv);
        case 'module':
            return tryModule(descriptor.file, descriptor.exportName);
        case 'judge':
        case 'sandbox-fusion':
        case 'go-judge':
            return;
    }
}

async function tryCommand([command, ...args]: readonly [string, ...string[]]): Promise<void> {
    for (const [, name = ''] of [command, ...args].flatMap((arg) => [...arg.matchAll(/\{(\w+)\}/g)])) {
        const meant = name.toLowerCase();
        if (PLACEHOLDERS.includes(meant) && name !== meant) {
            throw new UserError(
                `--executor exec: there is no placeholder {${name}}; did you mean {${meant}}?`,
            );
        }
    }
    if (command.includes('{')) return;
    if (!command.includes('/')) {
        if ((await findOnPath(command)) !== null) return;
        throw new UserError(`--executor exec: no program named ${command} is on PATH`);
    }
    const reason = await access(command, constants.X_OK).then(() => null, readReason);
    if (reason !== null) throw new UserError(`--executor exec: ${command} cannot be run: ${reason}`);
    if (!(await stat(command)).isFile()) {
        throw new UserError(`--executor exec: ${command} cannot be run: expected a program, it is no file`);
    }
}

/** Milliseconds for loading; a module that takes longer is taken to be a slow one. */
const PATIENCE_MS = 30_000;

const TRIAL = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.url).then(
    (module) => parentPort.postMessage({ type: typeof module[workerData.name], names: Object.keys(module) }),
    (error) => parentPort.postMessage({ problem: String(error?.message ?? error), stack: String(error?.stack ?? '') }),
);`;

type Trial =
    | { readonly type: string; readonly names: readonly string[]; readonly problem?: undefined }
    | { readonly problem: string; readonly stack: string };

/** In a thread of its own: what a module does while it is loaded is done to that thread. */
async function tryModule(file: string, name: string): Promise<void> {
    const reason = await access(file, constants.R_OK).then(() => null, readReason);
    if (reason !== null) throw new UserError(`--module ${file} cannot be read: ${reason}`);
    const workerData = { url: pathToFileURL(file).href, name };
    // What it prints while it is loaded it will print again: here it would only be in the way of --json.
    const worker = new Worker(TRIAL, { eval: true, workerData, stdout: true, stderr: true });
    try {
        const said = await new Promise<Trial | null>((resolve) => {
            const patience = setTimeout(() => resolve(null), PATIENCE_MS);
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
        if (said === null) return;
        if (said.problem !== undefined) {
            throw new UserError(`--module ${file} cannot be loaded: ${said.problem}${placeIn(said.stack)}`);
        }
        if (said.type !== 'function') {
            const names = said.names.length === 0 ? 'nothing' : said.names.join(', ');
            throw new UserError(`--module ${file} exports no function named ${name}; it exports ${names}`);
        }
    } finally {
        await worker.terminate();
    }
}

/** A SyntaxError's message does not say where; its stack begins with it. */
function placeIn(stack: string): string {
    const line = /^file:\S*:(\d+)$/m.exec(stack.split('\n', 1)[0] ?? '')?.[1];
    return line === undefined ? '' : ` (line ${line})`;
}
