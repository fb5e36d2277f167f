import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
    type Bench,
    type Figure,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    seconds,
    times,
} from '../bench.js';
import type { Timed } from '../stopwatch.js';
import { isInstalled, say } from '../tools.js';

/**
 * Problem packages, every submission against every test, compared with the tools that people judge them with: verifyproblem of
 * problemtools for the legacy format, bt of BAPCtools for 2025-09. All verdicts must match the labels on every side.
 */
export const packages: Measurement = {
    key: 'v',
    about: 'problem packages, all submissions; against `verifyproblem` (problemtools) and `bt run` (BAPCtools)',
    measure: measurePackages,
};

const PACKAGES = 6;
const TESTS = 20;

interface Peer {
    /** The name of its program on PATH. */
    readonly program: string;
    readonly how: string;
    readonly format: 'legacy' | '2025-09';
    readonly argv: (names: readonly string[], concurrency: number) => [string, ...string[]];
}

/** A peer that hangs is left out of the results. */
const BOUNDED = ['timeout', '600'] as const;

const PEERS: readonly Peer[] = [
    {
        program: 'verifyproblem',
        how: 'verifyproblem -p submissions',
        format: 'legacy',
        argv: (names, concurrency) => [
            ...BOUNDED,
            'verifyproblem',
            '-p',
            'submissions',
            '-j',
            String(concurrency),
            ...names,
        ],
    },
    {
        program: 'bt',
        how: 'bt run -G',
        format: '2025-09',
        argv: (_, concurrency) => [...BOUNDED, 'bt', 'run', '-G', '-B', '-j', String(concurrency)],
    },
];

async function measurePackages(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = [];
    for (const peer of PEERS) {
        if (await isInstalled(peer.program)) figures.push(...(await compare(bench, peer)));
        else say(`v: not measured against ${peer.program}, which is not installed`);
    }
    return figures;
}

async function compare(bench: Bench, peer: Peer): Promise<readonly Figure[]> {
    const { stopwatch, concurrency, repetitions, scale } = bench;
    const names = Array.from({ length: Math.ceil(PACKAGES * scale) }, (_, number) => `sum${number}`);
    const folder = join(bench.folder, peer.format);
    // Peers cache what they compiled by path, so each round gets packages of its own.
    const prepare = async (side: string, round: number): Promise<string> => {
        const contest = join(folder, `${side}-${round}`);
        for (const [number, name] of names.entries())
            await writePackage(join(contest, name), peer.format, number);
        await writeFile(
            join(contest, 'problems.yaml'),
            names
                .map((name, number) => `- id: ${name}\n  label: ${String.fromCodePoint(65 + number)}\n`)
                .join(''),
        );
        return contest;
    };
    const runPeer = async (round: number): Promise<Timed> =>
        stopwatch.time({ argv: peer.argv(names, concurrency), cwd: await prepare('peer', round) });
    const problem = await runPeer(-1).then(
        () => null,
        (error: unknown) => String(error),
    );
    if (problem !== null) {
        say(`v: not measured against ${peer.program}, which does not judge these packages here: ${problem}`);
        return [];
    }
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(repetitions, {
        product: async (round) => {
            const cwd = await prepare('ours', round);
            const timed = await stopwatch.resumeRun(
                [...names, '--dir', 'results', '-j', String(concurrency), '-q'],
                { cwd },
            );
            for (const name of names) await checkLabels(join(cwd, 'results', `${name}.json`));
            return timed;
        },
        // It exits non-zero if a verdict does not match its label.
        baseline: runPeer,
    });
    const wall = (timed: Timed): number => timed.wall;
    const ratio = medianRatio(baseline, product, wall);
    const submissions = names.length * Object.keys(SUBMISSIONS).length;
    const figure: Figure = {
        what: `${names.length} packages (${peer.format}), ${submissions} submissions, ${TESTS} tests each`,
        product: seconds(median(product.map(wall))),
        baseline: `${seconds(median(baseline.map(wall)))}, ${peer.how}`,
        ratio: times(ratio),
        goal: '> 1 x',
        met: ratio > 1,
        headline: peer.program === 'verifyproblem',
    };
    return [figure];
}

/** Submissions by path within `submissions/`. A number in each keeps caches from mistaking one package for another. */
const SUBMISSIONS: Readonly<Record<string, (number: number) => string>> = {
    'accepted/sum.cpp': (number) =>
        `#include <iostream>\nint main() { long long a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; return 0 * ${number}; }\n`,
    'accepted/sum.py': (number) => `print(sum(map(int, input().split())) + 0 * ${number})\n`,
    'wrong_answer/first.py': (number) => `print(input().split()[0], 0 * ${number})\n`,
    'run_time_error/crash.cpp': (number) =>
        `#include <cstdlib>\nint main() { if (${number} >= 0) std::abort(); }\n`,
};

async function writePackage(folder: string, format: Peer['format'], number: number): Promise<void> {
    const statement = '\\problemname{Sum}\nAdd two numbers.\n';
    const files: Record<string, string> =
        format === 'legacy'
            ? { 'problem.yaml': 'name: Sum\n', 'problem_statement/problem.en.tex': statement }
            : {
                  // bt warns and exits with 1 if a package nearby has the same one.
                  'problem.yaml': `problem_format_version: 2025-09\nname: Sum\nuuid: ${randomUUID()}\nlimits:\n  time_limit: 2\n`,
                  'statement/problem.en.tex': statement,
              };
    for (let test = 1; test <= TESTS; test += 1) {
        const place = `data/${test === 1 ? 'sample' : 'secret'}/${String(test).padStart(2, '0')}`;
        files[`${place}.in`] = `${test} ${test + number}\n`;
        files[`${place}.ans`] = `${2 * test + number}\n`;
    }
    for (const [name, source] of Object.entries(SUBMISSIONS)) files[`submissions/${name}`] = source(number);
    for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text);
    }
}

/** Like the peers' exit codes: a faster wrong verdict is not a valid figure. @throws Error naming the file */
async function checkLabels(path: string): Promise<void> {
    const text = await readFile(path, 'utf8');
    const verdicts = [...text.matchAll(/"verdict": "(\w+)",\n/g)]
        .map(([, verdict = '']) => verdict)
        .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const expected = ['Accepted', 'Accepted', 'RuntimeError', 'WrongAnswer'];
    if (verdicts.join() !== expected.join()) throw new Error(`${path}: ${verdicts.join()}`);
}
