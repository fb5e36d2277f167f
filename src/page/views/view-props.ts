import type { RunData } from '../data/run-data.js';
import type { PageSource } from '../data/detail-source.js';
import type { Route } from '../route.js';

/** What every view gets. */
export interface ViewProps {
    readonly data: RunData;
    readonly route: Route;
    readonly source: PageSource;
    /** Tasks of the list in view, in its order: what "next" means in an opened task. */
    readonly shown: { current: readonly number[] };
}
