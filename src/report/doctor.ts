import { escapeLine } from '../util/printable.js';
import type { Page } from './page.js';
import { renderTable, type Cell } from './table.js';

/** What `resume-run doctor` found, as plain data. */
export interface Findings {
    readonly title: string;
    readonly rows: readonly Finding[];
}

interface Finding {
    readonly name: string;
    /** `missing`: not there and not needed by everyone; `problem`: someone should do something; `note`: good to know. */
    readonly state: 'ok' | 'missing' | 'problem' | 'note';
    /** A version and a path, what cannot be enforced, or what to do. */
    readonly detail: string;
}

/** The findings as text: lines, each ended by a newline. */
export function renderFindings(sections: readonly Findings[], { width, style }: Page): string {
    const columns = [
        { title: '', align: 'left' },
        { title: '', align: 'left' },
        { title: '', align: 'left' },
    ] as const;
    const paints = { ok: style.green, missing: style.dim, note: style.dim, problem: style.yellow };
    return sections
        .filter(({ rows }) => rows.length > 0)
        .map(({ title, rows }) => {
            const cells = rows.map(({ name, state, detail }): Cell[] => [
                { text: state, paint: paints[state] },
                name,
                detail,
            ]);
            const lines = [
                style.bold(escapeLine(title)),
                ...renderTable(columns, cells, { width, indent: '  ' }),
            ];
            return `${lines.join('\n')}\n`;
        })
        .join('\n');
}
