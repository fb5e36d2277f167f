import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { readReason } from '../util/io-error.js';
import { ENV_REFERENCE, readReference } from '../util/secrets.js';
import { UserError } from '../util/user-error.js';
import { shortenPath } from '../util/shown-path.js';
import { isPlaceholder, listFields, findUnknownFields } from '../model/field-template.js';
import type { ListFields } from './executor-kind.js';
import { findProgram } from './sandbox/find-program.js';

/**
 * Checks whether each field that a command names exists in the lists' rows; for other datasets, whether a placeholder is
 * misspelt.
 * @throws UserError naming what is wrong
 */
export function checkPlaceholders(argv: readonly string[], lists: readonly ListFields[]): void {
    // A list may have a field {ID}.
    if (lists.length === 0) checkSpelling(argv);
    for (const { fields, path } of lists) {
        const [unknown] = findUnknownFields(argv, fields);
        if (unknown === undefined) continue;
        throw new UserError(
            `--executor exec: the command names ${unknown}, which no row of ${shortenPath(path)} has; its fields: ${listFields(fields)}. ` +
                `Write {${unknown}} to get the literal text ${unknown}`,
        );
    }
}

function checkSpelling(argv: readonly string[]): void {
    for (const [, name = ''] of argv.flatMap((argument) => [...argument.matchAll(/\{(\w+)\}/g)])) {
        const meant = name.toLowerCase();
        if (isPlaceholder(meant) && name !== meant) {
            throw new UserError(
                `--executor exec: there is no placeholder {${name}}; did you mean {${meant}}?`,
            );
        }
    }
}

/**
 * Checks that a command can be started.
 * @throws UserError if the program does not exist or cannot be run, or a variable is not set
 */
export async function tryCommand(argv: readonly [string, ...string[]]): Promise<void> {
    const [command] = argv;
    for (const [, variable = ''] of argv.join(' ').matchAll(ENV_REFERENCE))
        readReference(variable, '--executor exec');
    if (command.includes('{')) return;
    if (!command.includes('/')) {
        if ((await findProgram(command)) !== null) return;
        throw new UserError(
            `--executor exec: no program named ${command} is on PATH or in the usual folders`,
        );
    }
    const reason = await access(command, constants.X_OK).then(() => null, readReason);
    if (reason !== null) throw new UserError(`--executor exec: ${command} cannot be run: ${reason}`);
    if (!(await stat(command)).isFile()) {
        throw new UserError(`--executor exec: ${command} cannot be run: it is not a file`);
    }
}
