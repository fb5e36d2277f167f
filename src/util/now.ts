let lastSecond = Number.NaN;
/** `2026-11-30T12:00:00.`, of the last second asked for. */
let lastPrefix = '';

/** Now, ISO 8601, UTC. */
export function now(): string {
    return formatTime(Date.now());
}

/** A time in ISO 8601, UTC, by the millisecond. Asked for several times a task, mostly within a second. @param time milliseconds since the epoch */
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
