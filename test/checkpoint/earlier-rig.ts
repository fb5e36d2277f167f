import type { JsonObject } from '../../src/model/json.js';

export const runResult = (more: JsonObject = {}): JsonObject => ({
    status: 'Finished',
    execution_time: 0.25,
    return_code: 0,
    stdout: 'x',
    stderr: '',
    ...more,
});

export function checkedTest(
    passed: boolean,
    info: JsonObject = { status: 'Success', compile_result: null, run_result: runResult() },
) {
    return { passed, exec_info: info, test_info: { input: { stdin: '1' }, output: { stdout: '2' } } };
}

export function earlierEntry(accepted: boolean, tests: JsonObject[], more: JsonObject = {}): JsonObject {
    return {
        language: 'PYTHON',
        solution: 'print(1)',
        result: { id: 'p/1', accepted, extracted_code: 'print(1)', tests, ...more },
    };
}
