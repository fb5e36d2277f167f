/*
 * The single schema of the results database. The JSON Schema (schema.ts), the column types of Parquet and DuckDB (columns.ts),
 * the TypeScript type (record.ts) and the table of fields in the docs are all derived from these two lists.
 *
 * To add a field, add a line to RECORD_FIELDS and raise RECORD_VERSION. Older parts lack the column and read as null, so a new
 * field is always nullable. A field is never renamed and never changes its type or unit.
 */

/** Version of the list below, stored in every record. 2 added `finish_reason`, 3 `row_hash`. */
export const RECORD_VERSION = 3;

/**
 * - `text`: a string; `integer`: a safe integer; `number`: a finite double; `boolean`
 * - `time`: ISO 8601 in UTC with milliseconds, `2026-11-29T03:21:57.123Z`; a timestamp with time zone in Parquet
 * - `texts`: a list of strings
 * - `json`: JSON as text, in both codecs, so that its shape may differ between records
 */
export type FieldType = 'text' | 'integer' | 'number' | 'boolean' | 'time' | 'texts' | 'json';

export interface RecordField {
    readonly name: string;
    readonly type: FieldType;
    readonly nullable: boolean;
    /** Null if it has none. */
    readonly unit: string | null;
    readonly doc: string;
}

const required = <N extends string, T extends FieldType>(name: N, type: T, doc: string) =>
    ({ name, type, nullable: false, unit: null, doc }) as const;

const optional = <N extends string, T extends FieldType>(
    name: N,
    type: T,
    doc: string,
    unit: string | null = null,
) => ({ name, type, nullable: true, unit, doc }) as const;

/** Fields of one task that finished or was given up. */
export const RECORD_FIELDS = [
    required('version', 'integer', 'Version of this schema'),
    required('run', 'text', 'Id of the run, made once and kept in run.json and in every result file'),
    required('sample', 'text', 'Id of the sample'),
    required('group', 'text', 'Group of the task in its sample: `solution`, `iteration`, ...'),
    required(
        'fingerprint',
        'text',
        "Fingerprint of the task's input; a hash of the source in earlier result files",
    ),
    required('occurrence', 'integer', 'Number among tasks of the group with an equal fingerprint, from 0'),
    required(
        'revision',
        'integer',
        "Counter in the result file, raised by every change of the task's record; the highest wins",
    ),
    optional('index', 'integer', "Position in the dataset's list; changes when the dataset is reordered"),
    optional('verdict', 'text', 'What the finished task says; null where the infrastructure failed'),
    optional('accepted', 'boolean', 'Whether the verdict is Accepted; null without a verdict'),
    optional(
        'success_level',
        'text',
        '`full`, `partial` or `failure`; null where the infrastructure failed, and then in no rate',
    ),
    optional('expected', 'texts', 'Verdicts that the dataset expects'),
    optional('score', 'number', 'Score of the task where it has one', '0 to 1'),
    optional('cpu_time', 'number', 'Processor time of the slowest test', 's'),
    optional('wall_time', 'number', 'Wall time of the last attempt', 's'),
    optional('memory', 'integer', 'Peak memory over all tests', 'bytes'),
    required('attempts', 'integer', 'Number of attempts, failed ones included'),
    optional('attempt_log', 'json', 'The attempts, a JSON array; the view `attempts` has a row for each'),
    optional('language', 'text', 'Programming language of the submission'),
    optional('model', 'text', 'Model under its normalised name'),
    optional('model_raw', 'text', 'Model as the run named it'),
    optional('deployment', 'text', 'Deployment of the model that answered'),
    optional(
        'finish_reason',
        'text',
        'Why the last answer ended: `stop`, `length` (cut off), `content_filter`, ...',
    ),
    optional('prompt_type', 'text', '`baseline`, `cot`, `optimal`, ...'),
    optional('tool_success_rate', 'number', 'Rate at which simulated tools succeed', '0 to 1'),
    optional(
        'difficulty',
        'text',
        '`very_easy`, `easy`, `medium`, `hard` or `very_hard`, or the dataset’s own',
    ),
    optional('task_type', 'text', 'Kind of the task'),
    optional('instance', 'text', 'Which repetition of the cell'),
    optional(
        'row_hash',
        'text',
        'Hash of the dataset row that an instance of a matrix asked; null without rows. Answers to one row are answers to one question',
    ),
    optional('is_flawed', 'boolean', 'Whether the prompt holds a deliberate flaw'),
    optional('flaw_type', 'text', 'Which flaw: `sequence_disorder`, `tool_misuse`, ...'),
    optional('dimensions', 'json', 'Other dimensions of the matrix, a JSON object'),
    optional('turns', 'number', 'Turns of the conversation'),
    optional('tool_calls', 'number', 'Tool calls made'),
    optional('coverage', 'number', 'Share of the required tools that were called', '0 to 1'),
    optional('workflow_score', 'number', 'Workflow score; null where none was given, which is not 0'),
    optional('phase2_score', 'number', 'Score of the second phase; null is not 0'),
    optional('quality_score', 'number', 'Quality score; null is not 0'),
    optional('final_score', 'number', 'Final score; null is not 0'),
    optional('tool_call_format_errors', 'integer', 'Errors in the format of tool calls'),
    optional('timeout_errors', 'integer', 'Time-outs'),
    optional('dependency_errors', 'integer', 'Unmet dependencies'),
    optional('parameter_config_errors', 'integer', 'Wrong parameters'),
    optional('tool_selection_errors', 'integer', 'Wrong tools'),
    optional('sequence_order_errors', 'integer', 'Tools in the wrong order'),
    optional('max_turns_errors', 'integer', 'Conversations that reached the limit of turns'),
    optional('other_errors', 'integer', 'Other errors'),
    optional('error_class', 'text', 'Class of the error that decided the outcome'),
    optional('assisted_failure', 'integer', '1 if the task failed although it was given help'),
    optional('assisted_success', 'integer', '1 if the task succeeded with help'),
    optional('assisted_turns', 'integer', 'Turns in which help was given'),
    optional('prompt_tokens', 'integer', 'Tokens of the prompts, cached ones included', 'tokens'),
    optional('cached_tokens', 'integer', 'Of the prompt tokens, those from the cache', 'tokens'),
    optional('completion_tokens', 'integer', 'Tokens of the answers, reasoning included', 'tokens'),
    optional('reasoning_tokens', 'integer', 'Of the completion tokens, those spent on reasoning', 'tokens'),
    optional('cost', 'number', 'Price of all attempts', 'USD'),
    optional('worker', 'text', 'Worker of the last attempt'),
    optional('endpoint', 'text', 'Endpoint of the last attempt'),
    optional('started_at', 'time', 'Start of the first attempt'),
    optional('finished_at', 'time', 'End of the last attempt'),
    optional('failure_reason', 'text', 'Why the infrastructure failed; null with a verdict'),
    optional('failure_message', 'text', 'The message that came with it'),
] as const satisfies readonly RecordField[];

/** The fields that identify a record. Two runs of the same cell give two records; collecting the same run twice gives one. */
export const KEY_FIELDS = ['run', 'sample', 'group', 'fingerprint', 'occurrence'] as const;

/** Fields that the view `attempts` adds to the key: the properties of an element of `attempt_log`. */
export const ATTEMPT_FIELDS = [
    required('attempt', 'integer', 'Number of the attempt, from 1'),
    optional('verdict', 'text', 'Verdict, if it came to one'),
    optional('failure', 'text', 'Reason of the infrastructure failure, if it was one'),
    optional('message', 'text', 'The message that came with it'),
    optional('started_at', 'time', 'Start'),
    optional('duration', 'number', 'How long it took', 's'),
    optional('api_used', 'text', 'Executor and endpoint that ran it'),
    optional('worker_id', 'text', 'Worker that ran it'),
    optional('sandbox', 'text', 'Kind of sandbox'),
] as const satisfies readonly RecordField[];
