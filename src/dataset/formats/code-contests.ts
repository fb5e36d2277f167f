import type { OwnLimits } from '../../model/limits.js';
import { readNamedFiles } from '../../model/named-files.js';
import type { Field } from '../field.js';
import { readUnknownName, toLanguageTag } from '../language-tags.js';
import {
    pairTests,
    type RowContent,
    type RowFormat,
    type RowProgram,
    type RowTest,
    readId,
    streamTests,
} from '../row-content.js';

/*
 * DeepMind's code_contests: rows as Hugging Face exports them (columns of lists), and the rows that earlier tools used (the same
 * with `id` and `test`).
 */

/** Values of `language`, by number. PYTHON is Python 2. */
const LANGUAGES = ['UNKNOWN', 'PYTHON', 'CPP', 'PYTHON3', 'JAVA'];
const CODEFORCES = [2, 'CODEFORCES', null, undefined];
const TEST_GROUPS = ['public', 'private', 'generated'] as const;

export const codeContests: RowFormat = {
    key: 'code-contests',
    limitPolicy: 'flat',
    comparison: { kind: 'codecontests' },
    recognises(row) {
        return (
            TEST_GROUPS.some((group) => Array.isArray(row.get(`${group}_tests`).get('input').value)) ||
            ['solutions', 'incorrect_solutions'].some((key) =>
                Array.isArray(row.get(key).get('language').value),
            )
        );
    },
    read(row): RowContent {
        const [input, output] = ['input_file', 'output_file'].map(
            (key) => row.get(key).optionalString() ?? '',
        );
        const namedFiles = readNamedFiles(input ?? '', output ?? '');
        return {
            id: makeCodeContestsId(row),
            groups: [
                ['solution', readPrograms(row.get('solutions'))],
                ['incorrect_solution', readPrograms(row.get('incorrect_solutions'))],
            ],
            judging: {
                tests: readTests(row),
                checker: null,
                limits: readLimits(row),
                ...(namedFiles === null || 'skip' in namedFiles ? {} : { namedFiles }),
            },
            skip: namedFiles !== null && 'skip' in namedFiles ? namedFiles.skip : null,
        };
    },
};

/** `id`; otherwise `Codeforces/<contest>/<index>`, as the earlier tools wrote it; otherwise `name`. */
function makeCodeContestsId(row: Field): string {
    if (row.get('id').present) return readId(row.get('id'));
    const contest = row.get('cf_contest_id');
    const index = row.get('cf_index').optionalString() ?? '';
    const source = row.get('source').value;
    if (
        contest.present &&
        contest.number() > 0 &&
        index !== '' &&
        CODEFORCES.some((known) => known === source)
    ) {
        return `Codeforces/${contest.number()}/${index}`;
    }
    return readId(row.get('name'));
}

function readPrograms(column: Field): RowProgram[] {
    if (!column.present) return [];
    const languages = column.get('language').list();
    const sources = column.get('solution').list();
    if (languages.length !== sources.length) {
        column.fail(`as many languages (${languages.length}) as solutions (${sources.length})`);
    }
    return sources.map((source, i) => readProgram(languages[i] ?? source, source.string()));
}

function readProgram(field: Field, source: string): RowProgram {
    const tag = readLanguage(field);
    const spelt = readUnknownName(field.value, tag);
    const program = { kind: 'program', language: tag, ...spelt, source, name: null, expected: null } as const;
    return tag === 'UNKNOWN' ? { ...program, skip: 'its language is UNKNOWN in the dataset' } : program;
}

/** By number or by name, since exports differ. */
function readLanguage(field: Field): string {
    const { value } = field;
    if (typeof value === 'number')
        return LANGUAGES[value] ?? field.fail(`a language from 0 to ${LANGUAGES.length - 1}`);
    const name = field.string();
    return name === 'PYTHON' ? name : toLanguageTag(name);
}

/** `test` if present; otherwise the three test groups in order. */
function readTests(row: Field): RowTest[] {
    if (row.get('test').present) return streamTests(row.get('test'));
    return TEST_GROUPS.flatMap((group) => {
        const tests = row.get(`${group}_tests`);
        return tests.present ? pairTests(group, tests.get('input'), tests.get('output')) : [];
    });
}

function readLimits(row: Field): OwnLimits {
    const memory = row.get('memory_limit_bytes');
    const bytes = memory.present ? memory.number() : 0;
    return { time: readTime(row.get('time_limit')), memory: bytes > 0 ? bytes : null, output: null };
}

/** Seconds, as a number or as `{seconds, nanos}`; 0 and null mean no limit. */
function readTime(limit: Field): number | null {
    if (!limit.present) return null;
    const seconds = typeof limit.value === 'object' ? readDuration(limit) : limit.number();
    return seconds > 0 ? seconds : null;
}

function readDuration(limit: Field): number {
    const part = (key: string): number => (limit.get(key).present ? limit.get(key).number() : 0);
    return part('seconds') + part('nanos') / 1e9;
}
