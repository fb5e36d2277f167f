import { isJsonObject } from '../../model/json.js';
import type { Field } from '../field.js';
import { isOrdinaryId, type RowContent, type RowFormat, type RowTask, readId } from '../row-content.js';

/** `{"id", "groups": {"<name>": [any JSON, ...]}}`: tasks that are not programs. */
export const general: RowFormat = {
    key: 'general',
    limitPolicy: 'own',
    comparison: { kind: 'tokens' },
    skipsNothing: true,
    recognises(row) {
        return row.get('groups').present && !row.get('tests').present && !row.get('solutions').present;
    },
    outline({ id, groups, tests = null, solutions = null }) {
        if (!isOrdinaryId(id) || tests !== null || solutions !== null || !isJsonObject(groups)) return null;
        const sizes: [string, number][] = [];
        for (const name of Object.keys(groups)) {
            const tasks = groups[name];
            if (!Array.isArray(tasks) || !isGroupName(name)) return null;
            sizes.push([name, tasks.length]);
        }
        return { id, groups: sizes };
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

const isGroupName = (name: string): boolean =>
    /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) && !(name in Object.prototype);

/** Group names become keys of result files (`<name>_result`, `completed_<name>s`), which scripts read. */
function checkGroupName(name: string, tasks: Field): string {
    if (!isGroupName(name)) {
        throw tasks.error('expected a group name of up to 64 letters, digits and _, starting with a letter');
    }
    return name;
}
