import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { print } from '../compose/output.js';
import { describeIoError } from '../util/io-error.js';
import { escapeLine } from '../util/printable.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { STARTER_KINDS, type StarterKind, STARTERS } from './starter-files.js';

export const command = defineCommand({
    usage: `init ${STARTER_KINDS.join('|')} [folder]`,
    about: 'Writes a small commented configuration with an input that runs as it is. Files that are there stay as they are',
    arguments: { min: 1, max: 2, what: `one of ${STARTER_KINDS.join(', ')}, and a folder` },
    options: {},
    examples: [
        { line: 'resume-run init judge', about: 'A problem with a right and a wrong program' },
        { line: 'resume-run init topics my-topics', about: 'In a folder of its own' },
    ],
    run: async ({ positionals: [kind = '', folder = '.'], cwd }) => {
        if (!isStarterKind(kind))
            throw new UserError(`init takes one of ${STARTER_KINDS.join(', ')}, got '${kind}'`);
        const target = resolve(cwd, folder);
        const { files, run } = STARTERS[kind];
        const standing = Object.keys(files).filter((name) => existsSync(join(target, name)));
        if (standing.length > 0)
            throw new UserError(
                `${shortenPath(target)} has ${standing.join(', ')} already: name another folder, as in resume-run init ${kind} my-${kind}`,
            );
        await mkdir(target, { recursive: true }).catch((error: unknown) => refuse(target, error));
        for (const [name, content] of Object.entries(files)) {
            const path = join(target, name);
            await writeFile(path, content, { flag: 'wx' }).catch((error: unknown) => refuse(path, error));
            print(escapeLine(`wrote ${shortenPath(path)}`));
        }
        const there = relative(cwd, target);
        print(escapeLine(`Run it: ${there === '' ? '' : `cd ${there} && `}${run}`));
        return 0;
    },
});

const isStarterKind = (kind: string): kind is StarterKind => STARTER_KINDS.some((known) => known === kind);

function refuse(path: string, error: unknown): never {
    throw new UserError(`cannot write ${shortenPath(path)}: ${describeIoError(error)}`, 2, { cause: error });
}
