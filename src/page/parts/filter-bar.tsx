import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { say } from '../language/text.js';
import { changeFilters, type Route, buildRoute } from '../route.js';
import { formatLabel } from './shown-text.js';

export function FilterBar({
    route,
    children,
    keeps = [],
}: {
    readonly route: Route;
    readonly children: ComponentChildren;
    /** Filters that "clear" keeps. */
    readonly keeps?: readonly string[];
}): JSX.Element {
    const kept = ['sort', 'run', 'task', ...keeps];
    const isFiltered = Object.keys(route.filters).some((name) => !kept.includes(name));
    const rest = Object.fromEntries(Object.entries(route.filters).filter(([name]) => kept.includes(name)));
    return (
        <div class="filters" role="search" aria-label={say('filters')}>
            {children}
            {isFiltered && (
                <a class="button quiet" href={buildRoute(route.view, rest)}>
                    {say('clear')}
                </a>
            )}
        </div>
    );
}

/** Milliseconds without a key press before the list is updated. */
const TYPING_PAUSE = 150;

export function SearchBox({ route, label }: { readonly route: Route; readonly label: string }): JSX.Element {
    const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
    const input = useRef<HTMLInputElement>(null);
    const asked = route.filters['q'] ?? '';
    useEffect(() => {
        if (input.current !== null && input.current !== document.activeElement) input.current.value = asked;
    }, [asked]);
    const follow = (text: string): void => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => changeFilters(route, { q: text }, true), TYPING_PAUSE);
    };
    return (
        <input
            ref={input}
            type="search"
            aria-label={label}
            placeholder={label}
            onInput={(event) => follow(event.currentTarget.value)}
        />
    );
}

interface ChoiceProps {
    readonly route: Route;
    readonly filter: string;
    readonly label: string;
    /** Label of the empty choice. */
    readonly any: string;
    readonly options: readonly (readonly [value: string, label: string])[];
}

export function ChoiceFilter({ route, filter, label, any, options }: ChoiceProps): JSX.Element | null {
    const chosen = route.filters[filter] ?? '';
    if (options.length === 0 || (options.length === 1 && chosen === '')) return null;
    return (
        <select
            aria-label={label}
            value={chosen}
            onChange={(event) => changeFilters(route, { [filter]: event.currentTarget.value })}
        >
            <option value="">{any}</option>
            {options.map(([value, text]) => (
                <option key={value} value={value}>
                    {formatLabel(text)}
                </option>
            ))}
        </select>
    );
}

export function SwitchFilter({
    route,
    filter,
    label,
}: {
    readonly route: Route;
    readonly filter: string;
    readonly label: string;
}): JSX.Element {
    return (
        <label class="switch">
            <input
                type="checkbox"
                checked={route.filters[filter] === '1'}
                onChange={(event) =>
                    changeFilters(route, { [filter]: event.currentTarget.checked ? '1' : '' })
                }
            />
            {label}
        </label>
    );
}
