import type { EndpointState } from '../../model/event.js';
import { escapeLine } from '../../util/printable.js';
import type { RunView } from './fold.js';
import { count, formatCount, formatDuration } from '../format.js';
import type { Style } from '../style.js';

/** With more servers than this, only those with problems get their own line. */
const MAX_SHOWN_SINGLY = 4;

/** A line for all servers together: how many answer, and what they do. Empty if the run uses none. */
export function describeEndpoints(view: RunView, style: Style): string[] {
    if (view.endpoints.size === 0) return [];
    const given = Math.max(view.givenEndpoints, view.endpoints.size);
    let healthy = given - view.endpoints.size;
    let inFlight = 0;
    let failures = 0;
    for (const endpoint of view.endpoints.values()) {
        if (endpoint.state === 'healthy') healthy += 1;
        inFlight += endpoint.inFlight;
        failures += endpoint.failures;
    }
    const up = `${count(healthy)}/${count(given)} endpoints up`;
    const parts = [healthy < given ? style.yellow(up) : up, `${count(inFlight)} in flight`];
    if (failures > 0) parts.push(`${formatCount(failures, 'failure')} on them`);
    return parts;
}

/** Servers that get their own line: all if there are few, otherwise those with problems, those with the most failures first. */
export function listShownEndpoints(view: RunView): readonly (readonly string[])[] {
    const all = [...view.endpoints.values()];
    const listed =
        all.length <= MAX_SHOWN_SINGLY
            ? all
            : all
                  .filter((endpoint) => endpoint.state !== 'healthy')
                  .sort((a, b) => b.failures - a.failures)
                  .slice(0, MAX_SHOWN_SINGLY);
    return listed.map(describeParts);
}

function describeParts(endpoint: EndpointState): readonly string[] {
    const { state, inFlight, concurrency, done, failures, meanTime, coolDowns } = endpoint;
    const parts = [
        `  ${escapeLine(endpoint.endpoint)} ${state}`,
        `${count(inFlight)}/${count(concurrency)} in flight`,
        `${count(done)} done`,
    ];
    if (failures > 0) parts.push(formatCount(failures, 'failure'));
    if (meanTime !== null) parts.push(`mean ${formatDuration(meanTime)}`);
    if (coolDowns > 0) parts.push(formatCount(coolDowns, 'cool-down'));
    return parts;
}
