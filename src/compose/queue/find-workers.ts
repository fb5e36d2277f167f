import type { WorkerInfo } from '../../backend/queue/messages.js';
import { listWorkers } from '../../backend/queue/worker-host.js';
import type { RedisConfig } from '../../config.js';
import { readRedisAccess } from './redis-access.js';

/** The workers of a Redis. @throws UserError where it cannot be reached, or what a queue needs is not installed */
export async function findWorkers(redis: RedisConfig): Promise<readonly WorkerInfo[]> {
    return listWorkers(await readRedisAccess(redis));
}
