import type { Field } from '../field.js';
import { type RowContent, type RowFormat, type RowTask, readId } from '../row-content.js';

/** `{"id", "groups": {"<name>": [any JSON, ...]}}`: tasks that are not programs. */
export const general: RowFormat = {
    key: 'general',
    limitPolicy: 'own',
    comparison: { kind: 'tokens' },
    skipsNothing: true,
    recognises(row) {
        return row.get('groups').present && !row.get('tests').present && !row.get('solutions').present;
    },
    read(row): RowContent {
        return {
            id: readId(row.get('id')),
            groups: row
                .get('groups')
                .entries()
                .map(([name, tasks]) => [checkGroupName(name, tasks), tasks.list().map(readTask)] as const),
            judging: null,
            skip: null,
        };
    },
};

const readTask = (task: Field): RowTask => ({ kind: 'data', input: task });

/** Group names become keys of result files (`<name>_result`, `completed_<name>s`), which scripts read. */
function checkGroupName(name: string, tasks: Field): string {
    if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) || name in Object.prototype) {
        throw tasks.error('expected a group name of letters, digits and _ (at most 64, a letter first)');
    }
    return name;
}
