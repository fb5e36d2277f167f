import type { RedisAccess } from '../../backend/queue/redis.js';
import type { RedisConfig } from '../../config.js';
import { readTextFile } from '../../host/open-file.js';
import { ENV_REFERENCE, readReference } from '../../util/secrets.js';
import { UserError } from '../../util/user-error.js';
import { readReason } from '../../util/io-error.js';

/**
 * Replaces references in the address and reads the password file, just before they are used.
 * @throws UserError if a variable is not set or the file cannot be read
 */
export async function readRedisAccess({ address, passwordFile, caFile }: RedisConfig): Promise<RedisAccess> {
    const url = address.replaceAll(ENV_REFERENCE, (_whole, name: string) =>
        encodeURIComponent(readReference(name, '--redis')),
    );
    const { protocol, host, pathname } = new URL(url);
    return {
        url,
        password:
            passwordFile === null
                ? null
                : (await readFileOf('--redis-password-file', passwordFile)).replace(/\r?\n$/, ''),
        ca: caFile === null ? null : await readFileOf('--redis-ca', caFile),
        shown: protocol === 'unix:' ? pathname : `${protocol}//${host}`,
    };
}

async function readFileOf(option: string, path: string): Promise<string> {
    try {
        return await readTextFile(path);
    } catch (error) {
        throw new UserError(`${option} ${path}: ${readReason(error)}`, 2, { cause: error });
    }
}
