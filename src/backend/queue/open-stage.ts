import { sleep } from '../../util/sleep.js';
import { waitUntilAborted } from '../../util/until-aborted.js';
import type { StageCache } from './stage-cache.js';

/** Milliseconds between two tries to get a sample from a coordinator that does not have it (yet), and the number of tries. */
const SAMPLE_RETRY = { ms: 2000, tries: 30 } as const;

/** Milliseconds that a task waits for its sample while the coordinator is away. */
const SAMPLE_PATIENCE_MS = 600_000;

/** A sample on this machine's disk, which stays there until it is released. */
export interface OpenStage {
    readonly path: string;
    readonly release: () => void;
}

/**
 * Fetches the sample of a task. The coordinator may be away, or may have started just now and not have opened the sample yet.
 * @param ending aborted when the task must not run any more
 */
export async function openStage(
    stages: StageCache,
    manifest: string,
    ending: AbortSignal,
): Promise<OpenStage> {
    const late = AbortSignal.timeout(SAMPLE_PATIENCE_MS);
    const over = AbortSignal.any([ending, late]);
    for (let tries = 1; ; tries++) {
        const using = stages.use(manifest);
        try {
            return await waitUntilAborted(using, over);
        } catch (error) {
            // It may still arrive when nobody waits for it any more.
            if (over.aborted)
                void using.then(
                    ({ release }) => release(),
                    () => {},
                );
            if (ending.aborted)
                throw new Error('the task was ended before it had its sample', { cause: error });
            if (late.aborted)
                throw new Error('the coordinator did not send the sample in 10 minutes', { cause: error });
            if (tries >= SAMPLE_RETRY.tries) throw error;
            await sleep(SAMPLE_RETRY.ms, over);
        }
    }
}
