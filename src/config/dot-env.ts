import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readTextFile } from '../host/open-file.js';
import { NotAFileError } from '../util/regular-file.js';
import { UserError } from '../util/user-error.js';
import { readReason } from '../util/io-error.js';

/**
 * The environment with the variables of `.env` in `cwd` added. A variable that is really set always takes precedence.
 * @throws UserError if `.env` exists but cannot be read
 */
export async function withDotEnv(env: NodeJS.ProcessEnv, cwd: string): Promise<NodeJS.ProcessEnv> {
    const file = join(cwd, '.env');
    let text: string;
    try {
        text = await readTextFile(file);
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Ignore a folder of that name (a Python environment), or a pipe that another program fills.
        if (code === 'ENOENT' || error instanceof NotAFileError) return env;
        throw new UserError(`cannot read ${file}: ${readReason(error)}`);
    }
    return { ...parseEnv(text), ...env };
}
