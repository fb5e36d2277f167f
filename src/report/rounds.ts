import type { RunEvent } from '../model/event.js';
import { LIST_BOUND } from '../model/tally-sum.js';
import { count, formatDuration } from './format.js';
import type { Page } from './page.js';
import { renderTable } from './table.js';

/** Group whose tasks are rounds over all samples. */
const ROUNDS = 'iteration';

interface Round {
    answered: number;
    failed: number;
    /** Seconds. */
    busy: number;
}

/** What this start did in each round; empty for runs without rounds. Memory is bounded. */
export class RoundFigures {
    readonly #rounds = new Map<number, Round>();

    add(event: RunEvent): void {
        if (event.type !== 'task-finished' && event.type !== 'task-failed') return;
        if (event.group !== ROUNDS) return;
        const number = event.index + 1;
        const round = this.#rounds.get(number) ?? { answered: 0, failed: 0, busy: 0 };
        if (event.type === 'task-finished') round.answered += 1;
        else round.failed += 1;
        round.busy += event.by.duration;
        if (this.#rounds.size < LIST_BOUND || this.#rounds.has(number)) this.#rounds.set(number, round);
    }

    /** One part for each of the last rounds, for a line of the live display; empty without rounds. */
    parts(): string[] {
        const last = this.#sorted().slice(-6);
        return last.map(([number, { answered, failed }]) => {
            const failures = failed === 0 ? '' : `, ${count(failed)} failed`;
            return `round ${count(number)}: ${count(answered)} done${failures}`;
        });
    }

    /** A table for the summary; empty without rounds. @param most maximum number of rounds, the last ones */
    table(most: number, { width, style }: Page): string[] {
        const rounds = this.#sorted();
        if (rounds.length === 0) return [];
        const columns = [
            { title: 'round', align: 'right' },
            { title: 'done', align: 'right' },
            { title: 'failed', align: 'right' },
            { title: 'busy', align: 'right' },
        ] as const;
        const rows = rounds
            .slice(-most)
            .map(([number, { answered, failed, busy }]) => [
                count(number),
                count(answered),
                count(failed),
                formatDuration(busy),
            ]);
        const before = rounds.length > most ? [`${count(rounds.length - most)} rounds before these`] : [];
        return [...renderTable(columns, rows, { width, paintTitle: style.dim }), ...before];
    }

    #sorted(): [number, Round][] {
        return [...this.#rounds].sort(([a], [b]) => a - b);
    }
}
