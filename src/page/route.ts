import { useEffect, useState } from 'preact/hooks';

export const VIEWS = [
    'tests',
    'verdicts',
    'heatMap',
    'times',
    'unexpected',
    'tasks',
    'models',
    'compare',
    'live',
] as const;

export type ViewName = (typeof VIEWS)[number];

/**
 * The state in the address: a view and its filters, `#/tasks?verdict=WrongAnswer&q=abc`. A copied address shows the same page.
 */
export interface Route {
    readonly view: ViewName;
    readonly filters: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
    const [, path = '', query = ''] = /^#\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
    const view = VIEWS.find((name) => name === path) ?? 'tests';
    return { view, filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view; empty filters are left out. */
export function buildRoute(
    view: ViewName,
    filters: Readonly<Record<string, string | undefined>> = {},
): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filters))
        if (value !== undefined && value !== '') query.set(name, value);
    const text = query.toString();
    return `#/${view}${text === '' ? '' : `?${text}`}`;
}

/** Changes filters within the current view. @param isTyping true: the back button skips the change */
export function changeFilters(
    route: Route,
    change: Readonly<Record<string, string | undefined>>,
    isTyping = false,
): void {
    const hash = buildRoute(route.view, { ...route.filters, ...change });
    if (hash === location.hash) return;
    if (!isTyping) {
        location.hash = hash;
        return;
    }
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
    const [route, setRoute] = useState(() => parseRoute(location.hash));
    useEffect(() => {
        const update = (): void => setRoute(parseRoute(location.hash));
        addEventListener('hashchange', update);
        return () => removeEventListener('hashchange', update);
    }, []);
    return route;
}

/** Name of a task in the address: `index~group~sample`. The sample may contain any character, so it comes last. */
export function nameTask(sample: string, group: string, index: number): string {
    return `${index}~${group}~${sample}`;
}

export function parseTaskName(
    text: string | undefined,
): { readonly sample: string; readonly group: string; readonly index: number } | null {
    const [, index, group, sample] = /^(\d{1,9})~([^~]*)~(.*)$/s.exec(text ?? '') ?? [];
    if (index === undefined || group === undefined || sample === undefined) return null;
    return { sample, group, index: Number(index) };
}
