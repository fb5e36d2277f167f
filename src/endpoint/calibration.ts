import type { WidthRate } from '../model/event.js';
import type { Clock } from '../util/clock.js';

/** Milliseconds that a level lasts about, by its first answer, and at most. */
const LEVEL = 1000;
const LONGEST_LEVEL = 8000;
/** Requests in each place of a level, one after the other: with fewer than these, its rate would be chance. */
const FEWEST_ROUNDS = 2;
const MOST_ROUNDS = 50;
/** By how much a level must be faster than the one before it to be worth its crowding. */
const WORTHWHILE_GAIN = 0.1;
/** Requests at once to one endpoint that are tried at most. */
export const GREATEST_WIDTH = 64;

/** What a calibration found. */
export interface Calibration {
    /** Requests at once at which an endpoint is best. */
    readonly width: number;
    readonly rates: readonly WidthRate[];
}

export interface CalibrationOptions {
    /** Endpoints that share a machine: they are tried together, because that is how the run will use them. */
    readonly addresses: readonly string[];
    /** Requests at once to each that are tried at most. */
    readonly atMost: number;
    /** Sends one small program. Resolves with whether it ran, and soon once `signal` is aborted. */
    readonly runHello: (address: string) => Promise<boolean>;
    readonly clock: Pick<Clock, 'now'>;
    readonly signal: AbortSignal;
}

/**
 * Finds out how many requests at once endpoints are best at, where they never say "too many": hello-worlds at 1, 2, 4, 8, ...
 * at once, until that makes them less than 10 % faster. A level at which one fails is not taken.
 * @returns null where not even one at a time went well, or the signal was aborted
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

/** 1, 2, 4, ..., and the limit itself. */
function levelsUpTo(atMost: number): readonly number[] {
    const levels: number[] = [];
    for (let width = 1; width < atMost; width *= 2) levels.push(width);
    return [...levels, Math.max(1, atMost)];
}

/** Hello-worlds a second of one endpoint with so many at once, on average; null where one failed. */
async function measureLevel(width: number, options: CalibrationOptions): Promise<number | null> {
    const { addresses, runHello, clock, signal } = options;
    const started = clock.now();
    let begun = 0;
    /** Known after the first answer. All places share them, so that none is idle while others have more to do. */
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
    const most = Math.max(1, Math.floor(LONGEST_LEVEL / Math.max(1, took)));
    return Math.min(most, MOST_ROUNDS, Math.max(FEWEST_ROUNDS, rounds));
}

/** Endpoints by the machine that their address names. @param address of an endpoint; it may have more behind it */
export function findMachine(address: string): string {
    const [url = ''] = address.split(' ', 1);
    return URL.canParse(url) ? new URL(url).hostname : address;
}
