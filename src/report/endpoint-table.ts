import type { EndpointState } from '../model/event.js';
import { count, formatDuration } from './format.js';
import type { Page } from './page.js';
import { renderTable } from './table.js';
import { formatWidthRates } from './width-rates.js';

/** Most endpoints shown: of hundreds, first those with problems, then the busiest. */
const MAX_ENDPOINTS = 16;

/** One line per endpoint: what it did, how many concurrent requests it takes, and the measurement behind that number. */
export function renderEndpoints(
    endpoints: readonly EndpointState[],
    { width, style }: Pick<Page, 'width' | 'style'>,
): string[] {
    if (endpoints.length === 0) return [];
    const shown = endpoints
        .toSorted((a, b) => b.failures - a.failures || b.done - a.done)
        .slice(0, MAX_ENDPOINTS);
    const isCalibrated = shown.some(({ calibration }) => calibration !== undefined);
    const columns = [
        { title: 'endpoint', align: 'left', atLeast: 20 },
        { title: 'done', align: 'right' },
        { title: 'failures', align: 'right' },
        { title: 'mean', align: 'right' },
        { title: 'at once', align: 'right' },
        { title: 'cool-downs', align: 'right' },
        { title: 'state', align: 'left' },
        ...(isCalibrated ? [{ title: 'hello-worlds', align: 'left', atLeast: 12 } as const] : []),
    ] as const;
    const rows = shown.map((endpoint) => [
        endpoint.endpoint,
        count(endpoint.done),
        count(endpoint.failures),
        endpoint.meanTime === null ? '-' : formatDuration(endpoint.meanTime),
        count(endpoint.concurrency),
        count(endpoint.coolDowns),
        endpoint.state,
        ...(isCalibrated ? [formatWidthRates(endpoint.calibration ?? [])] : []),
    ]);
    const lines = renderTable(columns, rows, { width, paintTitle: style.dim });
    return endpoints.length > shown.length
        ? [...lines, `…and ${count(endpoints.length - shown.length)} more`]
        : lines;
}
