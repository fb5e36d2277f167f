import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RunData } from './data/run-data.js';
import type { PageSource } from './data/detail-source.js';
import { showCount, showTime } from './language/figures.js';
import type { TextKey } from './language/english.js';
import { currentLanguage, say, setLanguage } from './language/text.js';
import { shownLabel } from './parts/shown-text.js';
import { type Route, routeTo, useRoute, type ViewName } from './route.js';
import { HeatMapView } from './views/heat-map.js';
import { hasModels, ModelsView } from './views/models.js';
import { TaskDialog } from './views/task-dialog.js';
import { TasksView } from './views/tasks.js';
import { TestsView } from './views/tests.js';
import { TimesView } from './views/times.js';
import { UnexpectedView } from './views/unexpected.js';
import { VerdictsView } from './views/verdicts.js';
import type { ViewProps } from './views/view-props.js';

const ABOUT = {
    tests: 'testsAbout',
    verdicts: 'verdictsAbout',
    heatMap: 'heatMapAbout',
    times: 'timesAbout',
    unexpected: 'unexpectedAbout',
    tasks: 'tasksAbout',
    models: 'modelsAbout',
    compare: 'compareAbout',
    live: 'liveAbout',
} as const satisfies Readonly<Record<ViewName, TextKey>>;

/** One run on a page. */
export function App({ data, source }: { readonly data: RunData; readonly source: PageSource }): JSX.Element {
    const route = useRoute();
    // A change of language draws everything anew.
    const [, setShownLanguage] = useState(currentLanguage());
    const changeLanguage = (): void => {
        const next = currentLanguage() === 'zh' ? 'en' : 'zh';
        setLanguage(next);
        setShownLanguage(next);
    };
    const props = { data, route, source };
    return (
        <>
            <a class="skip-link" href="#content" onClick={(event) => focusContent(event)}>
                {say('skipLink')}
            </a>
            <header class="page-head">
                <h1>{shownLabel(data.header.dir)}</h1>
                <p class="faint">
                    {say('samplesCount', { count: showCount(data.header.samples.length) })},{' '}
                    {say('tasksCount', { count: showCount(data.count) })}
                    {' · '}
                    {say('generated', { time: showTime(data.header.generatedAt) })}
                </p>
                <button type="button" class="quiet language" onClick={changeLanguage}>
                    {say('otherLanguage')}
                </button>
            </header>
            <Navigation data={data} route={route} />
            <main id="content" tabIndex={-1}>
                <p class="about">{say(ABOUT[route.view])}</p>
                <View {...props} />
                <Notices data={data} />
            </main>
            {route.filters['task'] !== undefined && <TaskDialog {...props} />}
        </>
    );
}

function focusContent(event: Event): void {
    event.preventDefault();
    document.getElementById('content')?.focus();
}

function Navigation({ data, route }: { readonly data: RunData; readonly route: Route }): JSX.Element {
    const views: ViewName[] = ['tests', 'verdicts', 'heatMap', 'times', 'unexpected', 'tasks'];
    if (hasModels(data)) views.push('models');
    return (
        <nav aria-label={say('views')}>
            {views.map((view) => (
                <a key={view} href={routeTo(view)} aria-current={route.view === view ? 'page' : undefined}>
                    {say(view)}
                </a>
            ))}
        </nav>
    );
}

function View(props: ViewProps): JSX.Element | null {
    switch (props.route.view) {
        case 'tests':
            return <TestsView {...props} />;
        case 'verdicts':
            return <VerdictsView {...props} />;
        case 'heatMap':
            return <HeatMapView {...props} />;
        case 'times':
            return <TimesView {...props} />;
        case 'unexpected':
            return <UnexpectedView {...props} />;
        case 'tasks':
            return <TasksView {...props} />;
        case 'models':
            return <ModelsView {...props} />;
        case 'compare':
        case 'live':
            return null;
    }
}

/** What a reader must know of the figures: what is not in them, and how they came about. */
function Notices({ data }: { readonly data: RunData }): JSX.Element | null {
    const { leftOut, removed, comparison } = data.header;
    const lines: ComponentChildren[] = [];
    if (leftOut !== null) lines.push(say('leftOutNotice', { count: showCount(leftOut.entries) }));
    if (removed > 0) lines.push(say('removedNotice', { count: showCount(removed) }));
    for (const [format, checker] of Object.entries(comparison ?? {}))
        lines.push(say('comparedBy', { checker: `${shownLabel(checker)} (${shownLabel(format)})` }));
    if (lines.length === 0) return null;
    return (
        <footer class="notices">
            {lines.map((line, at) => (
                <p key={at}>{line}</p>
            ))}
        </footer>
    );
}
