import type { RunData } from '../data/run-data.js';
import type { PageSource } from '../data/detail-source.js';
import type { Route } from '../route.js';

/** Properties that every view gets. */
export interface ViewProps {
    readonly data: RunData;
    readonly route: Route;
    readonly source: PageSource;
    /** Tasks of the current list, in its order; an open task uses it for "next". */
    readonly shown: { current: readonly number[] };
}
