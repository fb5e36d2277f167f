import type { WidthRate } from '../model/event.js';
import type { Clock } from '../util/clock.js';

/** Approximate and longest duration of a level in milliseconds; the time of its first answer decides. */
const LEVEL = 1000;
const MAX_LEVEL_MS = 8000;
/** Consecutive requests in each place of a level: with fewer, the measured rate would be random. */
const MIN_ROUNDS = 2;
const MAX_ROUNDS = 50;
/** How much faster than the previous level a level must be to justify the higher concurrency. */
const WORTHWHILE_GAIN = 0.1;
/** Most concurrent requests to one endpoint that are tried. */
export const MAX_WIDTH = 64;

/** Result of a calibration. */
export interface Calibration {
    /** Best number of concurrent requests for an endpoint. */
    readonly width: number;
    readonly rates: readonly WidthRate[];
}

export interface CalibrationOptions {
    /** Endpoints on the same machine. They are tried together because the run will use them together. */
    readonly addresses: readonly string[];
    /** Most concurrent requests to each endpoint that are tried. */
    readonly atMost: number;
    /** Sends one small program. Resolves with whether it ran; resolves soon once `signal` is aborted. */
    readonly runHello: (address: string) => Promise<boolean>;
    readonly clock: Pick<Clock, 'now'>;
    readonly signal: AbortSignal;
}

/**
 * Finds the best number of concurrent requests for endpoints that never say "too many": sends hello-worlds 1, 2, 4, 8, ... at
 * once until a step makes them less than 10 % faster. A level with a failure is not used.
 * @returns null if even single requests failed, or the signal was aborted
 */
export async function calibrate(options: CalibrationOptions): Promise<Calibration | null> {
    const rates: WidthRate[] = [];
    let best: WidthRate | null = null;
    for (const width of levelsUpTo(options.atMost)) {
        const perSecond = await measureLevel(width, options);
        if (options.signal.aborted) return null;
        if (perSecond === null) break;
        const level = { width, perSecond };
        rates.push(level);
        if (best !== null && perSecond < best.perSecond * (1 + WORTHWHILE_GAIN)) break;
        best = level;
    }
    return best === null ? null : { width: best.width, rates };
}

/** 1, 2, 4, ..., up to and including the limit. */
function levelsUpTo(atMost: number): readonly number[] {
    const levels: number[] = [];
    for (let width = 1; width < atMost; width *= 2) levels.push(width);
    return [...levels, Math.max(1, atMost)];
}

/** Average hello-worlds per second of one endpoint with `width` requests at once; null if one failed. */
async function measureLevel(width: number, options: CalibrationOptions): Promise<number | null> {
    const { addresses, runHello, clock, signal } = options;
    const started = clock.now();
    let begun = 0;
    /** Known after the first answer. Shared by all places, so that none is idle while others have requests left. */
    let wanted = Number.POSITIVE_INFINITY;
    let hasFailed = false;
    const fillPlace = async (address: string): Promise<void> => {
        while (begun < wanted && !hasFailed) {
            begun += 1;
            const ran = await runHello(address);
            hasFailed ||= !ran || signal.aborted;
            if (wanted === Number.POSITIVE_INFINITY) {
                wanted = roundsFor(clock.now() - started) * width * addresses.length;
            }
        }
    };
    const places = addresses.flatMap((address) => Array.from({ length: width }, () => fillPlace(address)));
    await Promise.all(places);
    return hasFailed ? null : (begun * 1000) / (clock.now() - started) / addresses.length;
}

/** @param took milliseconds of the first request */
function roundsFor(took: number): number {
    const rounds = Math.ceil(LEVEL / Math.max(1, took));
    const most = Math.max(1, Math.floor(MAX_LEVEL_MS / Math.max(1, took)));
    return Math.min(most, MAX_ROUNDS, Math.max(MIN_ROUNDS, rounds));
}

/** The machine that an endpoint's address names. @param address of an endpoint; further text may follow it */
export function findMachine(address: string): string {
    const [url = ''] = address.split(' ', 1);
    return URL.canParse(url) ? new URL(url).hostname : address;
}
