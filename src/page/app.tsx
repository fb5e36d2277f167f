import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveState } from '../model/live-state.js';
import { RunData } from './data/run-data.js';
import type { PageSource } from './data/detail-source.js';
import type { ServerSource } from './data/server-source.js';
import { showCount, showTime } from './language/figures.js';
import type { TextKey } from './language/english.js';
import { detectLanguage, say, setLanguage } from './language/text.js';
import { formatLabel } from './parts/shown-text.js';
import { type Route, buildRoute, useRoute, type ViewName } from './route.js';
import { CompareView } from './views/compare.js';
import { HeatMapView } from './views/heat-map.js';
import { LiveView } from './views/live.js';
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

interface AppProps {
    readonly firstData: RunData;
    readonly source: PageSource;
    /** Null: the page is a standalone file. */
    readonly server: ServerSource | null;
}

/** The page of one run. */
export function App({ firstData, source, server }: AppProps): JSX.Element {
    const route = useRoute();
    const [data, setData] = useState(firstData);
    const live = useLive(server);
    const hasNews = live.states.some(
        ({ tasks, at }) => tasks.committed > 0 && at > Date.parse(data.header.generatedAt),
    );
    const reload = async (): Promise<void> => setData(new RunData(await source.readPage()));
    // Changing the language re-renders everything.
    const [, setShownLanguage] = useState(detectLanguage());
    const changeLanguage = (): void => {
        const next = detectLanguage() === 'zh' ? 'en' : 'zh';
        setLanguage(next);
        setShownLanguage(next);
    };
    const shown = useRef<readonly number[]>([]);
    const props = { data, route, source, shown };
    return (
        <>
            <a class="skip-link" href="#content" onClick={(event) => focusContent(event)}>
                {say('skipLink')}
            </a>
            <header class="page-head">
                <h1>{formatLabel(data.header.dir)}</h1>
                <p class="faint">
                    {say('samples')}: {showCount(data.header.samples.length)}
                    {' · '}
                    {say('tasks')}: {showCount(data.count)}
                    {' · '}
                    {say('generated', { time: showTime(data.header.generatedAt) })}
                </p>
                {server !== null && <RunChoice server={server} />}
                <button type="button" class="quiet language" onClick={changeLanguage}>
                    {say('otherLanguage')}
                </button>
            </header>
            <Navigation data={data} route={route} source={source} server={server} />
            {hasNews && route.view !== 'live' && (
                <p class="news" role="status">
                    {say('newData')}{' '}
                    <button type="button" class="quiet" onClick={() => void reload()}>
                        {say('reload')}
                    </button>
                </p>
            )}
            <main id="content" tabIndex={-1}>
                <p class="about">
                    {say(route.view === 'tests' && !data.hasTestSets() ? 'samplesAbout' : ABOUT[route.view])}
                </p>
                <View {...props} live={live} />
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

/** What is known about a run in progress. */
interface LiveRunState {
    readonly states: readonly LiveState[];
    readonly isLost: boolean;
}

function useLive(server: ServerSource | null): LiveRunState {
    const [states, setStates] = useState<readonly LiveState[]>([]);
    const [isLost, setLost] = useState(false);
    useEffect(() => server?.follow(setStates, setLost), [server]);
    return { states, isLost };
}

/** Choosing another run loads a new page, since filters belong to one run. */
function RunChoice({ server }: { readonly server: ServerSource }): JSX.Element | null {
    if (server.runs.length < 2) return null;
    return (
        <select
            aria-label={say('runs')}
            value={String(server.run)}
            onChange={(event) => location.assign(`?run=${event.currentTarget.value}`)}
        >
            {server.runs.map((dir, at) => (
                <option key={dir} value={String(at)}>
                    {formatLabel(dir)}
                </option>
            ))}
        </select>
    );
}

function Navigation({
    data,
    route,
    source,
    server,
}: {
    readonly data: RunData;
    readonly route: Route;
    readonly source: PageSource;
    readonly server: ServerSource | null;
}): JSX.Element {
    const views: ViewName[] = ['tests', 'verdicts', 'heatMap', 'times', 'unexpected', 'tasks'];
    if (hasModels(data)) views.push('models');
    if (server !== null || source.runs.length > 1) views.push('compare');
    if (server !== null) views.push('live');
    return (
        <nav aria-label={say('views')}>
            {views.map((view) => (
                <a key={view} href={buildRoute(view)} aria-current={route.view === view ? 'page' : undefined}>
                    {say(view === 'tests' && !data.hasTestSets() ? 'samples' : view)}
                </a>
            ))}
        </nav>
    );
}

function View({ live, ...props }: ViewProps & { readonly live: LiveRunState }): JSX.Element {
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
            return <CompareView {...props} />;
        case 'live':
            return <LiveView {...live} />;
    }
}

/** What a reader must know about the figures: what they leave out, and how they were obtained. */
function Notices({ data }: { readonly data: RunData }): JSX.Element | null {
    const { leftOut, removed, comparison } = data.header;
    const lines: ComponentChildren[] = [];
    if (leftOut !== null) lines.push(say('leftOutNotice', { count: showCount(leftOut.entries) }));
    if (removed > 0) lines.push(say('removedNotice', { count: showCount(removed) }));
    for (const [format, checker] of Object.entries(comparison ?? {}))
        lines.push(say('comparedBy', { checker: `${formatLabel(checker)} (${formatLabel(format)})` }));
    if (lines.length === 0) return null;
    return (
        <footer class="notices">
            {lines.map((line, at) => (
                <p key={at}>{line}</p>
            ))}
        </footer>
    );
}
