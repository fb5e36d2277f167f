let lastTime = Number.NaN;
let lastText = '';

/** Now, ISO 8601, UTC. Asked for several times a task, mostly within the same millisecond. */
export function now(): string {
    const time = Date.now();
    if (time !== lastTime) {
        lastText = new Date(time).toISOString();
        lastTime = time;
    }
    return lastText;
}
