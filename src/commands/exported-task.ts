import type { Json } from '../model/json.js';
import { findWork } from '../model/work.js';
import type { RecordedTask } from '../results/collect/checkpoint-records.js';
import { RECORD_FIELDS, type RecordField } from '../results/record/fields.js';
import type { ResultRecord } from '../results/record/record.js';

/** What `resume-run export` writes for a task: its record, and the fields that only its result file holds. */
export interface ExportedTask extends ResultRecord {
    /** The row of a list; null if there is none, or if --no-keep-source left it out. */
    readonly row: Json;
    /**
     * Text that a command printed, or the object returned by a function or extracted from a language model's answer; null for
     * programs.
     */
    readonly output: Json;
    /** File with the output of a command that is too long for the result file or not valid UTF-8; relative to the directory. */
    readonly output_file: string | null;
}

const ADDED_FIELDS = [
    { name: 'row', type: 'json', nullable: true, unit: null, doc: 'Row of the list' },
    { name: 'output', type: 'json', nullable: true, unit: null, doc: 'What the task printed or returned' },
    { name: 'output_file', type: 'text', nullable: true, unit: null, doc: 'File that holds a long output' },
] as const satisfies readonly RecordField[];

/** Columns of CSV and Parquet. */
export const EXPORTED_FIELDS = [...RECORD_FIELDS, ...ADDED_FIELDS];

export function exportTask({ record, entry }: RecordedTask): ExportedTask {
    const work = entry === null ? null : findWork(entry);
    return {
        ...record,
        row: entry?.row ?? null,
        output: work?.run?.stdout ?? work?.returned ?? null,
        output_file: work?.run?.stdout_file?.path ?? null,
    };
}

/**
 * A task as one line of JSON, without the line break; fields that are null are left out.
 * @param isColumns write rows and outputs as text, for columns that hold a single type
 */
export function formatExportedLine(task: ExportedTask, isColumns: boolean): string {
    const asText = (value: Json): Json =>
        isColumns && typeof value === 'object' ? JSON.stringify(value) : value;
    const line: Record<string, unknown> = {};
    for (const { name } of EXPORTED_FIELDS) {
        const value = task[name];
        if (value !== null) line[name] = name === 'row' || name === 'output' ? asText(task[name]) : value;
    }
    return JSON.stringify(line);
}
