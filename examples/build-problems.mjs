// Writes problems.jsonl from the readable sources beside it: `node examples/build-problems.mjs`.
// The expected verdict of a wrong program is in its first line: `expected: WrongAnswer`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const HERE = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const LANGUAGES = { '.py': 'PYTHON3', '.cpp': 'CPP', '.java': 'JAVA', '.js': 'JAVASCRIPT' };

/** Settings of each problem, times in seconds; everything else is in its folder. */
const PROBLEMS = {
    'big-sum': { time_limit: 2 },
    'longest-run': { time_limit: 1 },
    'prime-count': { time_limit: 2 },
    circle: { time_limit: 1, checker: 'float:1e-6,1e-6' },
    brackets: { time_limit: 2 },
    'reverse-lines': { time_limit: 2, checker: 'lines', output_limit: '1 MiB' },
    'two-squares': { time_limit: 1, checker: { convention: 'testlib', language: 'PYTHON3', path: 'checker.py' } },
    'word-count': { time_limit: 2, memory_limit: '256 MiB' },
    'grid-paths': { time_limit: 2 },
};

const names = (folder) => readdirSync(folder).sort();
const read = (...path) => readFileSync(join(...path), 'utf8');

function programs(folder) {
    return names(folder).map((name) => {
        const source = read(folder, name);
        const expected = /expected: (\w+)/.exec(source.split('\n', 1)[0]);
        return { language: LANGUAGES[extname(name)], name, ...(expected && { expected: expected[1] }), source };
    });
}

function problem([id, { checker, ...settings }]) {
    const folder = join(HERE, 'sources', id);
    const tests = names(join(folder, 'tests')).filter((name) => name.endsWith('.in'));
    return {
        id,
        ...settings,
        ...(checker && { checker: withSource(checker, folder) }),
        tests: tests.map((name) => ({
            input: read(folder, 'tests', name),
            output: read(folder, 'tests', name.replace(/in$/, 'ans')),
        })),
        solutions: programs(join(folder, 'solutions')),
        incorrect_solutions: programs(join(folder, 'incorrect')),
    };
}

function withSource(checker, folder) {
    if (typeof checker === 'string') return checker;
    const { path, ...rest } = checker;
    return { ...rest, source: read(folder, path) };
}

const rows = Object.entries(PROBLEMS).map((entry) => `${JSON.stringify(problem(entry))}\n`);
writeFileSync(join(HERE, 'problems.jsonl'), rows.join(''));
