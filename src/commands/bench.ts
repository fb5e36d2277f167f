import type { BenchLoad, ModeFigures } from '../compose/bench-modes.js';
import type { Page } from '../report/page.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { JSON_OPTION } from './shared-options.js';

/** `QUICK` shows the difference in a few seconds; `FULL` is long enough for reliable figures. */
const QUICK: BenchLoad = { requests: 120, concurrency: 4, latency: 20 };
const FULL: BenchLoad = { requests: 2000, concurrency: 16, latency: 50 };

export const command = defineCommand({
    usage: 'bench modes [options]',
    about:
        'Compares thread, process and async on this machine: the same requests to a local chat server in each mode, with ' +
        'throughput, CPU and memory as a table and a plot. It needs no key and no network',
    arguments: { min: 1, max: 1, what: 'modes' },
    options: {
        quick: {
            kind: 'flag',
            default: false,
            group: 'Running',
            about: 'A small load, for a first look',
            decides: 'display',
            only: 'command line',
        },
        requests: {
            kind: 'integer',
            default: null,
            defaultText: `${FULL.requests}; --quick: ${QUICK.requests}`,
            min: 1,
            max: 10_000_000,
            placeholder: '<n>',
            group: 'Running',
            about: 'Requests in each mode',
            decides: 'display',
            only: 'command line',
        },
        'at-once': {
            kind: 'integer',
            default: null,
            defaultText: `${FULL.concurrency}; --quick: ${QUICK.concurrency}`,
            min: 1,
            max: 10_000,
            placeholder: '<n>',
            group: 'Running',
            about: 'Requests at once: workers of the modes thread and process',
            decides: 'display',
            only: 'command line',
        },
        latency: {
            kind: 'integer',
            default: null,
            defaultText: `${FULL.latency}; --quick: ${QUICK.latency}`,
            min: 0,
            max: 600_000,
            placeholder: '<ms>',
            group: 'Running',
            about: 'Milliseconds before the server answers',
            decides: 'display',
            only: 'command line',
        },
        svg: {
            kind: 'path',
            default: 'bench-modes.svg',
            placeholder: '<file>',
            group: 'What you see',
            about: 'The plot',
            decides: 'display',
            only: 'command line',
        },
        ...JSON_OPTION,
    },
    examples: [
        { line: 'resume-run bench modes --quick', about: 'A first look, in some seconds' },
        { line: 'resume-run bench modes --at-once 64 --latency 500', about: 'Closer to a real service' },
    ],
    run: async ({ values, positionals }) => {
        if (positionals[0] !== 'modes')
            throw new UserError(`bench ${positionals[0] ?? ''}: expected bench modes`);
        const usual = values.quick ? QUICK : FULL;
        const load: BenchLoad = {
            requests: values.requests ?? usual.requests,
            concurrency: values['at-once'] ?? usual.concurrency,
            latency: values.latency ?? usual.latency,
        };
        const [{ runBenchModes }, { drawModes }, { print, printRaw, describeStdout }, { writeText }] =
            await Promise.all([
                import('../compose/bench-modes.js'),
                import('../report/mode-plot.js'),
                import('../compose/output.js'),
                import('../host/output-file.js'),
            ]);
        const modes = await runBenchModes(load, (mode) => process.stderr.write(`mode ${mode} ...\n`));
        await writeText(values.svg, drawModes(describeLoad(load), modes));
        if (values.json)
            printRaw(JSON.stringify({ load, ideal: computeIdeal(load), modes, svg: values.svg }));
        else print(await renderModes(load, modes, { page: describeStdout(), svg: values.svg }));
        return 0;
    },
});

const describeLoad = ({ requests, concurrency, latency }: BenchLoad): string =>
    `${requests} requests, ${concurrency} at once, answered after ${latency} ms`;

/** Requests a second if only the server's latency took time; null if the latency is 0, as there is no such limit. */
const computeIdeal = ({ concurrency, latency }: BenchLoad): number | null =>
    latency === 0 ? null : (concurrency * 1000) / latency;

async function renderModes(
    load: BenchLoad,
    modes: readonly ModeFigures[],
    { page, svg }: { readonly page: Page; readonly svg: string },
): Promise<string> {
    const [{ renderTable }, { shortenPath }] = await Promise.all([
        import('../report/table.js'),
        import('../util/shown-path.js'),
    ]);
    const ideal = computeIdeal(load);
    const columns = ['mode', 'requests/s', 'of the ideal', 'CPU s', 'CPU ms/request', 'memory MB'].map(
        (title, i) => ({ title, align: i === 0 ? ('left' as const) : ('right' as const) }),
    );
    const number = (value: number | null, digits: number): string => value?.toFixed(digits) ?? '?';
    const rows = modes.map(({ mode, throughput, cpu, memory }) => [
        mode,
        number(throughput, 1),
        ideal === null ? '' : `${number((100 * throughput) / ideal, 0)} %`,
        number(cpu, 2),
        number(cpu === null ? null : (1000 * cpu) / load.requests, 2),
        number(memory === null ? null : memory / 1e6, 0),
    ]);
    const lines = [
        describeLoad(load),
        ...renderTable(columns, rows, { width: page.width, paintTitle: page.style.dim }),
        `Plot  ${shortenPath(svg)}`,
    ];
    return `${lines.join('\n')}\n`;
}
