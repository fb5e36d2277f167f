let lastSecond = Number.NaN;
/** Such as `2026-11-30T12:00:00.`, for the second last formatted. */
let lastPrefix = '';

/** The current time in ISO 8601, UTC. */
export function now(): string {
    return formatTime(Date.now());
}

/**
 * A time in ISO 8601, UTC, to the millisecond. Called several times per task, mostly within the same second. @param time
 * milliseconds since the epoch
 */
export function formatTime(time: number): string {
    const whole = Math.floor(time);
    const second = Math.floor(whole / 1000);
    if (second !== lastSecond) {
        lastPrefix = new Date(second * 1000).toISOString().slice(0, -4);
        lastSecond = second;
    }
    const milliseconds = whole - second * 1000;
    return `${lastPrefix}${milliseconds < 10 ? '00' : milliseconds < 100 ? '0' : ''}${milliseconds}Z`;
}
