import type { WorkerInfo } from '../../backend/queue/messages.js';
import { listWorkers } from '../../backend/queue/worker-host.js';
import type { RedisConfig } from '../../config.js';
import { readRedisAccess } from './redis-access.js';

/** The workers of a Redis server. @throws UserError if it cannot be reached, or if a package that queues need is not installed */
export async function findWorkers(redis: RedisConfig): Promise<readonly WorkerInfo[]> {
    return listWorkers(await readRedisAccess(redis));
}
