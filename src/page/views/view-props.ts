import type { RunData } from '../data/run-data.js';
import type { PageSource } from '../data/detail-source.js';
import type { Route } from '../route.js';

/** What every view gets. */
export interface ViewProps {
    readonly data: RunData;
    readonly route: Route;
    readonly source: PageSource;
}
