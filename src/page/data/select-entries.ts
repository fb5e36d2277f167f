import { FLAG_NEAR_LIMIT, FLAG_UNEXPECTED, OUTCOMES, type TextColumn } from '../../model/page-data.js';
import type { RunData } from './run-data.js';

/** Filters whose value is a text from a dictionary. */
const TEXT_FILTERS = {
    lang: 'language',
    cause: 'cause',
    expected: 'expected',
    model: 'model',
    prompt: 'promptType',
    difficulty: 'difficulty',
    task_type: 'taskType',
} as const satisfies Readonly<Record<string, TextColumn>>;

/** Entries that match the filters of the address. `q` is searched for in sample and name; `-` in a text filter means "none". */
export function selectEntries(data: RunData, filters: Readonly<Record<string, string>>): number[] {
    const tests: ((entry: number) => boolean)[] = [];
    const { header } = data;
    for (const [filter, column] of Object.entries(TEXT_FILTERS)) {
        const asked = filters[filter];
        if (asked === undefined || asked === '') continue;
        const number = asked === '-' ? 0 : header.dictionaries[column].indexOf(asked);
        tests.push((entry) => data.value(column, entry) === number);
    }
    const { group, verdict, sample } = filters;
    if (group !== undefined) {
        const number = header.groups.indexOf(group);
        tests.push((entry) => data.value('group', entry) === number);
    }
    if (verdict === 'rejected') tests.push((entry) => data.isJudged(entry) && !data.isAccepted(entry));
    else if (verdict !== undefined) {
        const number = OUTCOMES.findIndex((outcome) => outcome === verdict);
        tests.push((entry) => data.value('outcome', entry) === number);
    }
    if (sample !== undefined) {
        const number = header.samples.indexOf(sample);
        tests.push((entry) => data.value('sample', entry) === number);
    }
    if (filters['unexpected'] === '1') tests.push((entry) => data.hasFlag(entry, FLAG_UNEXPECTED));
    if (filters['near'] === '1') tests.push((entry) => data.hasFlag(entry, FLAG_NEAR_LIMIT));
    const query = filters['q']?.toLowerCase() ?? '';
    if (query !== '') tests.push(searchTest(data, query));
    const found: number[] = [];
    for (let entry = 0; entry < data.count; entry += 1)
        if (tests.every((test) => test(entry))) found.push(entry);
    return found;
}

/** Compares each text once, not once per entry. */
function searchTest(data: RunData, query: string): (entry: number) => boolean {
    const contains = (text: string): boolean => text.toLowerCase().includes(query);
    const samples = data.header.samples.map(contains);
    const names = data.header.dictionaries.name.map(contains);
    return (entry) =>
        samples[data.value('sample', entry)] === true || names[data.value('name', entry)] === true;
}

/** Texts that occur in a column, for a list of choices. */
export function listChoices(data: RunData, column: TextColumn): readonly (readonly [string, string])[] {
    return data.header.dictionaries[column]
        .filter((text) => text !== '')
        .slice(0, 500)
        .sort()
        .map((text) => [text, text]);
}

/** Outcomes that occur. */
export function listOutcomes(data: RunData): readonly (typeof OUTCOMES)[number][] {
    const seen = new Set(data.columns.outcome);
    return OUTCOMES.filter((_, number) => seen.has(number));
}
