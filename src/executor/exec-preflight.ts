import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';
import { PLACEHOLDERS } from './exec-kind.js';
import { findOnPath } from './sandbox/find-on-path.js';

/**
 * Makes sure that a command can be started.
 * @throws UserError for a program that is not there or cannot be run, and for a misspelt placeholder
 */
export async function tryCommand([command, ...args]: readonly [string, ...string[]]): Promise<void> {
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
        throw new UserError(
            `--executor exec: ${command} cannot be run: expected a program, it is not a file`,
        );
    }
}
