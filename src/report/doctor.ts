import { escapeLine } from '../util/printable.js';
import type { Page } from './page.js';
import { renderTable, type Cell } from './table.js';

/** The findings of `resume-run doctor`, as plain data. */
export interface Findings {
    readonly title: string;
    readonly rows: readonly Finding[];
}

interface Finding {
    readonly name: string;
    /** `missing`: absent, but not needed by everyone; `problem`: needs action; `note`: for information. */
    readonly state: 'ok' | 'missing' | 'problem' | 'note';
    /** A version and a path, a limit that cannot be enforced, or what to do. */
    readonly detail: string;
}

/** The findings as text: lines, each ending in a newline. */
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
