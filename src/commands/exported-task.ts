import type { Json } from '../model/json.js';
import { findWork } from '../model/work.js';
import type { RecordedTask } from '../results/collect/checkpoint-records.js';
import { RECORD_FIELDS, type RecordField } from '../results/record/fields.js';
import type { ResultRecord } from '../results/record/record.js';

/** What `resume-run export` writes of a task: its record, and what only its result file holds. */
export interface ExportedTask extends ResultRecord {
    /** The row of a list; null where there is none, or --no-keep-source left it out. */
    readonly row: Json;
    /** Text that a command printed, or the object that a function or a language model's answer left; null for programs. */
    readonly output: Json;
    /** Where a command's output stands that is too long for its result file, or is not UTF-8; relative to the directory. */
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
 * @param isColumns whether rows and outputs are written as text, for columns of one type
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
