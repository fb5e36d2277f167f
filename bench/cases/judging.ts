import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { buildBwrapArguments, INSIDE } from '../../src/executor/sandbox/bwrap.js';
import {
    type Bench,
    type Figure,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    percent,
    perSecond,
} from '../bench.js';
import { writeProblem } from '../datasets.js';
import type { Timed } from '../stopwatch.js';
import { isInstalled, realPython, say, whereIs } from '../tools.js';

const run = promisify(execFile);

/**
 * Tests of a trivial program per second, each run measured, limited and compared, against a C loop that does nothing but start
 * the same command. The product's figure covers a whole process: start, dataset, compiling, results on disk.
 */
export const judging: Measurement = {
    key: 'c',
    about: 'judging many tests of a trivial program; against a bare C loop (posix_spawn + wait4) of the same commands',
    measure: measureJudging,
};

const TESTS = 100;
/** Memory that the other parts of a long run may hold in the judging process. */
const BALLAST_BYTES = 2 ** 30;

interface Program {
    readonly name: string;
    readonly language: string;
    readonly source: (number: number) => string;
    /** What the bare loop starts: the same program. */
    readonly argv: readonly [string, ...string[]];
    /** The same without a sandbox, where programs can reach interpreters that they cannot reach otherwise. */
    readonly bareArgv: readonly [string, ...string[]];
    readonly submissions: number;
}

type Sandbox = 'none' | 'rlimit' | 'bwrap';

async function measureJudging(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = [];
    const bwrap = await whereIs('bwrap');
    if (bwrap === null) say('c: not measured in a sandbox, bubblewrap is not installed');
    for (const program of await programs(bench)) {
        figures.push(await compare(bench, program, 'none', null, false));
        figures.push(await compare(bench, program, 'rlimit', null, false));
        if (bwrap !== null) figures.push(await compare(bench, program, 'bwrap', bwrap, false));
        if (program.language !== 'c') continue;
        figures.push(await compare(bench, program, 'none', null, true));
        if (bwrap !== null) figures.push(await compare(bench, program, 'bwrap', bwrap, true));
    }
    return figures;
}

async function programs({ folder, scale }: Bench): Promise<readonly Program[]> {
    const found: Program[] = [];
    if (await isInstalled('gcc')) {
        const source =
            '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); }\n';
        const path = join(folder, 'sum.c');
        const program = join(folder, 'sum');
        await writeFile(path, source);
        await run('gcc', ['-O2', '-std=gnu11', '-o', program, path]);
        // All submissions have the same text, so they compile only once, as copies do in real datasets.
        const submissions = Math.ceil(800 * scale);
        found.push({
            name: 'C',
            language: 'c',
            source: () => source,
            argv: [program],
            bareArgv: [program],
            submissions,
        });
    } else say('c: not measured in C, there is no gcc');
    const [python, ours] = await Promise.all([realPython(true), realPython(false)]);
    if (python !== null) {
        const source = 'print(sum(map(int, input().split())))\n';
        const path = join(folder, 'sum.py');
        await writeFile(path, source);
        const submissions = Math.ceil(40 * scale);
        const argv = [python, path] as const;
        found.push({
            name: 'Python',
            language: 'python3',
            source: () => source,
            argv: [...argv],
            bareArgv: [ours ?? python, path],
            submissions,
        });
    } else say('c: not measured in Python, there is no python3');
    return found;
}

/** One sandbox per test, started by the loop just as the product would start it. */
function inSandbox(bwrap: string, argv: Program['argv']): [string, ...string[]] {
    // Our own files are mounted into a folder of the sandbox; an interpreter is already there.
    const ours = argv.filter((path) => !path.startsWith('/usr/'));
    const inside = (path: string): string =>
        ours.includes(path) ? join(INSIDE.source, basename(path)) : path;
    const shown = ours.flatMap((path) => ['--ro-bind', path, inside(path)]);
    const args = buildBwrapArguments({ bwrap, roots: [], scratchBytes: 64 * 2 ** 20 });
    return [
        bwrap,
        ...args.slice(1).flatMap((arg) => (arg === '@files' ? shown : [arg])),
        ...argv.map((path) => inside(path)),
    ];
}

async function compare(
    bench: Bench,
    program: Program,
    sandbox: Sandbox,
    bwrap: string | null,
    holding: boolean,
): Promise<Figure> {
    const { stopwatch, folder, concurrency } = bench;
    const { language, source, submissions } = program;
    const name = `${language}-${sandbox}${holding ? '-holding' : ''}`;
    const tests = submissions * TESTS;
    const dataset = await writeProblem(folder, { id: name, tests: TESTS, submissions, language, source });
    const input = join(folder, 'input.txt');
    await writeFile(input, '1 2\n');
    const ballast = join(folder, 'ballast.mjs');
    await writeFile(ballast, BALLAST);
    const node = holding ? { ...process.env, NODE_OPTIONS: `--import=${ballast}` } : process.env;
    // A sandbox per test is so slow that fewer runs show its pace just as well.
    const runs = bwrap === null ? tests : Math.ceil(tests / 5);
    const bare = sandbox === 'none' ? program.bareArgv : program.argv;
    const argv = bwrap === null ? bare : inSandbox(bwrap, program.argv);
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(bench.repetitions, {
        product: (round) =>
            stopwatch.resumeRun(
                [dataset, '--dir', `${name}-${round}`, '-j', String(concurrency), '-q', '--sandbox', sandbox],
                { cwd: folder, env: node },
            ),
        baseline: () => stopwatch.time({ argv, cwd: folder, stdin: input, runs, atOnce: concurrency }),
    });
    const wall = (timed: Timed): number => timed.wall;
    const ratio = medianRatio(baseline, product, wall) * (tests / runs);
    const how = `${sandbox === 'none' ? 'no sandbox' : sandbox}${holding ? `, the process holds ${BALLAST_BYTES / 2 ** 30} GiB` : ''}`;
    return {
        what: `${program.name}, ${how}`,
        product: `${perSecond(tests, median(product.map(wall)))} tests`,
        baseline: `${perSecond(runs, median(baseline.map(wall)))}, C loop${bwrap === null ? '' : ' of bwrap'}`,
        ratio: percent(ratio),
        goal: '>= 85 %',
        met: ratio >= 0.85,
        headline: program.name === 'C' && sandbox === 'rlimit' && !holding,
    };
}

/** Memory that is really resident, in the main thread only. */
const BALLAST = `import { isMainThread } from 'node:worker_threads';
if (isMainThread) globalThis.ballast = Array.from({ length: 64 }, () => Buffer.alloc(${BALLAST_BYTES} / 64, 1));
`;
