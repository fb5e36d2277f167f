import type { Json, JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import { type RecordField, type FieldType, RECORD_FIELDS, RECORD_VERSION } from './fields.js';

/** JSON Schema of one line of a `.jsonl` part. Null fields may be left out. */
export function recordSchema(): JsonObject {
    return {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: `resume-run result record, version ${RECORD_VERSION}`,
        type: 'object',
        properties: Object.fromEntries(RECORD_FIELDS.map((field) => [field.name, describeProperty(field)])),
        required: RECORD_FIELDS.filter((field) => !field.nullable).map((field) => field.name),
    };
}

function describeProperty(field: RecordField): JsonObject {
    const { type, ...more } = jsonType(field.type);
    const unit = field.unit === null ? '' : ` (${field.unit})`;
    return { type: field.nullable ? [type, 'null'] : type, ...more, description: field.doc + unit };
}

function jsonType(type: FieldType): { readonly type: string; readonly [key: string]: Json } {
    switch (type) {
        case 'text':
        case 'json':
            return { type: 'string' };
        case 'time':
            return { type: 'string', format: 'date-time' };
        case 'integer':
        case 'number':
        case 'boolean':
            return { type };
        case 'texts':
            return { type: 'array', items: { type: 'string' } };
        default:
            return unreachable(type, 'field type');
    }
}

/** The table of fields for the docs. */
export function renderFieldTable(fields: readonly RecordField[] = RECORD_FIELDS): string {
    const rows = fields.map(({ name, type, nullable, unit, doc }) => {
        const shown = [name, type, unit ?? '', nullable ? 'yes' : '', doc];
        return `| \`${shown[0]}\` | ${shown.slice(1).join(' | ')} |`;
    });
    return ['| field | type | unit | may be null | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
