import type { RunFile } from '../../checkpoint/run-directory/run-file.js';
import { listLocks } from '../../host/lock-file.js';
import { type Life, judgeLife, ownIdentity } from '../../host/lock-identity.js';
import type { DirectorySample } from '../../model/directory-sample.js';
import { withWhole } from '../../model/tally-sum.js';
import { addUp, type DirectoryStatus, type Holder } from '../../report/status.js';
import { getIoCode } from '../../util/io-error.js';
import type { DirectoryReader } from './directory-reader.js';
import type { KnownSamples } from './known-samples.js';
import { readExecutor } from './known-run.js';
import { readEndpoints } from './live-states.js';
import { asTyped } from '../output.js';
import type { RunPaths } from './run-paths.js';

/** The rate covers the last five minutes, or the whole run if fewer than `MIN_ENDS` tasks ended in them. */
const WINDOW_MS = 300_000;
const MIN_ENDS = 10;

/** The current state of a directory, read only from its files and datasets. */
export async function readStatus(place: RunPaths, reader: DirectoryReader): Promise<DirectoryStatus> {
    const now = Date.now();
    const [{ run, known }, holders, endpoints] = await Promise.all([
        reader.readRun(),
        findHolders(place.checkpoints),
        readEndpoints(place.checkpoints),
    ]);
    const living = holders
        .filter((holder) => holder.alive !== false)
        .map((holder) => Date.parse(holder.since));
    const since = Math.min(...living, Number.POSITIVE_INFINITY);
    let newest = Number.NEGATIVE_INFINITY;
    const ends: number[] = [];
    async function* watched(): AsyncGenerator<DirectorySample> {
        for await (const sample of reader.read(since, known)) {
            newest = Math.max(newest, sample.writtenAt ?? newest);
            if (sample.standing === 'begun') for (const end of sample.ends) if (end >= since) ends.push(end);
            yield sample;
        }
    }
    const figures = await addUp(watched());
    const total = known === null ? withWhole(figures.total, run?.totals ?? null) : figures.total;
    return {
        dir: asTyped(place.dir),
        at: new Date(now).toISOString(),
        executor: readExecutor(run),
        datasets: (run?.datasets ?? []).map(({ path }) => path),
        whole: findWhole(run, known),
        ...figures,
        total,
        holders,
        lastUpdate: Number.isFinite(newest) ? new Date(newest).toISOString() : null,
        rate: living.length === 0 ? null : computeRate(ends, since, now),
        endpoints,
    };
}

function findWhole(run: RunFile | null, known: KnownSamples | null): DirectoryStatus['whole'] {
    if (known === null) return run === null ? null : { samples: run.totals.samples, tasks: run.totals.tasks };
    let tasks = 0;
    for (const [, groups] of known) for (const [, count] of groups) tasks += count;
    return { samples: known.size, tasks };
}

/** Finished tasks a second; null if none has finished since the run began. */
function computeRate(ends: readonly number[], since: number, now: number): number | null {
    const recent = ends.filter((end) => end >= now - WINDOW_MS).length;
    const from = recent >= MIN_ENDS ? Math.max(since, now - WINDOW_MS) : since;
    const finished = recent >= MIN_ENDS ? recent : ends.length;
    return finished === 0 ? null : (finished * 1000) / Math.max(1000, now - from);
}

/** The runs that have not released the directory. */
async function findHolders(checkpoints: string): Promise<readonly Holder[]> {
    try {
        const own = ownIdentity();
        return (await listLocks(checkpoints)).flatMap(({ content, released }): Holder[] => {
            if (released || content === null) return [];
            const { identity, shard, startedAt } = content;
            return [
                {
                    host: identity.host,
                    pid: identity.pid,
                    since: startedAt,
                    shard: shard === null ? null : `${shard.index}/${shard.count}`,
                    alive: isAlive(judgeLife(identity, own)),
                },
            ];
        });
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return [];
        throw error;
    }
}

function isAlive(life: Life): boolean | null {
    switch (life) {
        case 'alive':
            return true;
        case 'dead':
            return false;
        case 'unknown':
            return null;
    }
}
