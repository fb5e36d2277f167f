import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../../host/open-file.js';
import { NotAFileError } from '../../util/regular-file.js';
import { isJsonObject } from '../../model/json.js';
import type { LiveState } from '../../model/live-state.js';
import type { EndpointStatus } from '../../report/status.js';
import { getIoCode } from '../../util/io-error.js';

const LIVE_FILE = /^live(?:\.\d+)?\.json$/;
/** Maximum number of bytes read of a live file. */
const MAX_LIVE_BYTES = 1024 * 1024;

/**
 * The states that runs publish, one for each shard; empty if there are none. Only `format` is validated: another version may have
 * written the rest.
 * @param checkpoints folder of the run's run.json
 */
export async function readLiveStates(checkpoints: string): Promise<readonly LiveState[]> {
    const names = await readdir(checkpoints).catch(() => []);
    const live = names.filter((name) => LIVE_FILE.test(name)).sort();
    const states = await Promise.all(live.map((name) => readLiveState(join(checkpoints, name))));
    return states.flatMap((state) => state ?? []);
}

/**
 * The latest states of servers that runs published; entries in another version's format are left out. @param checkpoints as above
 */
export async function readEndpoints(checkpoints: string): Promise<readonly EndpointStatus[]> {
    const told = (await readLiveStates(checkpoints)).filter(({ endpoints }) => endpoints?.length > 0);
    // Most runs have no servers, and loading the validation library takes longer than the rest of `status`.
    if (told.length === 0) return [];
    const { LIVE_ENDPOINTS } = await import('./live-endpoints-shape.js');
    const states = told.flatMap((state) => LIVE_ENDPOINTS.safeParse(state).data ?? []);
    return states.flatMap(({ shard, at, endpoints }) => {
        const when = { shard, at: new Date(at).toISOString() };
        return endpoints.map((endpoint) => ({ ...when, ...endpoint }));
    });
}

async function readLiveState(path: string): Promise<LiveState | null> {
    try {
        const text = await readTextFile(path);
        const json: unknown = text.length > MAX_LIVE_BYTES ? null : JSON.parse(text);
        return isJsonObject(json) && json['format'] === 1 ? (json as Partial<LiveState> as LiveState) : null;
    } catch (error) {
        // A torn file is replaced by a complete one within a second.
        if (error instanceof SyntaxError || error instanceof NotAFileError || getIoCode(error) !== null)
            return null;
        throw error;
    }
}
