import type { JSX } from 'preact';
import type { CsvCell } from '../../util/csv.js';
import { say } from '../language/text.js';
import { downloadCsv } from './download.js';

/** A cell that shows more than its text. */
interface RichCell {
    readonly shown: JSX.Element;
    /** The raw value, as in the file. */
    readonly text: string;
}

type SmallCell = string | number | null | RichCell;

interface SmallTableProps {
    readonly title: string;
    /** Name of the saved file, without its extension. */
    readonly name: string;
    /** Label for screen readers; absent: the title. */
    readonly label?: string;
    readonly heads: readonly string[];
    readonly rows: readonly (readonly SmallCell[])[];
    readonly class?: string;
}

/** A short table, which can be saved as CSV like the long ones. */
export function SmallTable({
    title,
    name,
    label = title,
    heads,
    rows,
    class: look = '',
}: SmallTableProps): JSX.Element | null {
    if (rows.length === 0) return null;
    const save = (): void => downloadCsv(name, [heads, ...rows.map((cells) => cells.map(readText))]);
    return (
        <section class={look}>
            <div class="section-head">
                <h3>{title}</h3>
                <button type="button" class="quiet" onClick={save}>
                    {say('downloadCsv')}
                </button>
            </div>
            <div class="scroll-x small-table" tabIndex={0} role="region" aria-label={label}>
                <table>
                    <thead>
                        <tr>
                            {heads.map((head) => (
                                <th key={head} scope="col">
                                    {head}
                                </th>
                            ))}
                        </tr>
                    </thead>
                    <tbody>
                        {rows.map((cells, at) => (
                            <tr key={at}>
                                {cells.map((cell, column) => (
                                    <td key={column} class="wrap">
                                        {isRich(cell) ? cell.shown : cell}
                                    </td>
                                ))}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </section>
    );
}

const isRich = (cell: SmallCell): cell is RichCell => typeof cell === 'object' && cell !== null;

const readText = (cell: SmallCell): CsvCell => (isRich(cell) ? cell.text : cell);
