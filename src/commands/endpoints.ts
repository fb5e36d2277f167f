import { RUN_OPTIONS } from '../config/run-options.js';
import { SERVER_KINDS } from '../executor/kinds.js';
import type { EndpointReport } from '../executor/servers/probe.js';
import type { Page } from '../report/page.js';
import type { Cell, Column } from '../report/table.js';
import { formatWidthRates } from '../report/width-rates.js';
import { escapeLine } from '../util/printable.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'endpoints --endpoint <url> [--json]',
    about:
        'Probes servers and prints a table: reachable, version, languages, latency, and the verdict of a ' +
        'hello-world in each language',
    options: {
        executor: {
            kind: 'choice',
            choices: SERVER_KINDS.map(({ name }) => name),
            default: null,
            defaultText: 'found out by asking',
            placeholder: '<executor>',
            group: 'Sandbox servers',
            about: 'What the servers are',
            decides: 'run',
            only: 'command line',
        },
        endpoint: RUN_OPTIONS.endpoint,
        'retry-endpoint': RUN_OPTIONS['retry-endpoint'],
        config: RUN_OPTIONS.config,
        calibrate: {
            kind: 'flag',
            default: false,
            group: 'Sandbox servers',
            about: 'Also find out how many requests at once each server is best at: hello-worlds, for a few seconds',
            decides: 'run',
            only: 'command line',
        },
        ...JSON_OPTION,
    },
    examples: [
        { line: "resume-run endpoints --endpoint 'http://10.0.0.{1..4}:8080'", about: 'Probe a range' },
        {
            line: 'resume-run endpoints --endpoint http://10.0.0.1:8080 --calibrate',
            about: 'How many requests at once',
        },
    ],
    run: async ({ values, env }) => {
        const given = [...values.endpoint, ...values['retry-endpoint']];
        if (given.length === 0) {
            throw new UserError('endpoints needs --endpoint <url>, such as http://127.0.0.1:8080');
        }
        const [{ expandEndpoints }, { probeEndpoints }, { print, printRaw, describeStdout: stdoutPage }] =
            await Promise.all([
                import('../executor/servers/endpoint-options.js'),
                import('../executor/servers/probe.js'),
                import('../compose/output.js'),
            ]);
        // Tokens and references are looked up by name in the environment when they are used; variables that are really set take
        // precedence over .env.
        for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
        const endpoints = expandEndpoints(given, '--endpoint');
        if (endpoints.length === 0) throw new UserError('endpoints: name at least one --endpoint');
        // Show each endpoint as soon as it answers: with hundreds of them, some take long to time out.
        const counter = { known: 0 };
        const showProgress = (report: EndpointReport): void => {
            counter.known += 1;
            const state = report.problem ?? (report.reachable ? 'ok' : 'down');
            process.stderr.write(
                `${counter.known}/${endpoints.length} ${escapeLine(report.endpoint)} ${escapeLine(state)}\n`,
            );
        };
        const { signal } = new AbortController();
        const probed = await probeEndpoints(endpoints, {
            kind: values.executor,
            languages: null,
            signal,
            ...(values.json || endpoints.length === 1 ? {} : { onReport: showProgress }),
        });
        const reports = values.calibrate
            ? await (await import('../executor/servers/calibrate-servers.js')).calibrateServers(
                  endpoints,
                  probed,
                  signal,
              )
            : probed;
        if (values.json) {
            printRaw(JSON.stringify(reports));
        } else {
            print(await drawTable(reports, stdoutPage()));
            for (const line of listFailedLanguages(reports)) print(line);
            for (const line of describeCalibrations(reports)) print(line);
        }
        // Exit 1 if a server cannot be used.
        return reports.every((report) => report.problem === null) ? 0 : 1;
    },
});

const COLUMNS: readonly Column[] = [
    { title: 'endpoint', align: 'left' },
    { title: 'state', align: 'left' },
    { title: 'kind', align: 'left' },
    { title: 'version', align: 'left', atLeast: 8 },
    { title: 'latency', align: 'right' },
    { title: 'hello-world', align: 'left', atLeast: 20 },
];

async function drawTable(reports: readonly EndpointReport[], { width, style }: Page): Promise<string> {
    const { renderTable } = await import('../report/table.js');
    const rows = reports.map((report): Cell[] => [
        report.endpoint,
        describeState(report, style),
        report.kind ?? '?',
        report.version ?? '',
        report.latency === null ? '' : `${Math.round(report.latency * 1000)} ms`,
        report.problem ?? describeLanguages(report),
    ]);
    return renderTable(COLUMNS, rows, { width, paintTitle: style.dim }).join('\n');
}

function describeState(report: EndpointReport, style: Page['style']): Cell {
    if (!report.reachable) return { text: 'down', paint: style.red };
    if (report.problem !== null) return { text: 'problem', paint: style.yellow };
    return { text: 'ok', paint: style.green };
}

/** Why languages fail, one line each: `http://10.0.0.1:8080 GO: it cannot compile a hello-world in GO: go: not found`. */
function listFailedLanguages(reports: readonly EndpointReport[]): string[] {
    return reports.flatMap(({ endpoint, languages }) =>
        languages
            .filter(({ problem }) => problem !== null)
            .map(
                ({ language, problem }) =>
                    `${escapeLine(endpoint)} ${language}: ${escapeLine(problem ?? '')}`,
            ),
    );
}

/** Results of calibrations: `http://10.0.0.1:8080: 2 at once (hello-worlds: 6.7/s at 1, 12.5/s at 2, 12.1/s at 4)`. */
function describeCalibrations(reports: readonly EndpointReport[]): string[] {
    return reports.flatMap(({ endpoint, calibration }) =>
        calibration === null || calibration === undefined
            ? []
            : [
                  `${escapeLine(endpoint)}: ${calibration.width} at once (hello-worlds: ${formatWidthRates(calibration.rates)})`,
              ],
    );
}

/** `CPP, JAVA, PYTHON3; not GO (RuntimeError)` */
function describeLanguages({ languages }: EndpointReport): string {
    const works = languages.filter(({ verdict }) => verdict === 'Accepted').map(({ language }) => language);
    const fails = languages
        .filter(({ verdict }) => verdict !== 'Accepted')
        .map(({ language, verdict }) => `${language} (${verdict ?? 'not run'})`);
    return [works.join(', '), ...(fails.length > 0 ? [`not ${fails.join(', ')}`] : [])].join('; ');
}
