import { RUN_OPTIONS } from '../config/run-options.js';
import type { Values } from '../config/option.js';
import type { SelfTestFinding } from '../compose/self-test.js';
import type { KeyFinding } from '../executor/chat/check-keys.js';
import type { ServiceFinding } from '../executor/chat/check-services.js';
import type { DoctorLanguage, DoctorReport } from '../executor/judge/doctor.js';
import type { Findings } from '../report/doctor.js';
import { defineCommand } from './command.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'doctor [--self-test] [--sandbox <sandbox>] [--endpoint <base URL>] [--provider <name>] [--json]',
    about:
        'Shows which languages and sandbox this machine has, their versions, what cannot be enforced here, and which keys of ' +
        'language models are set. Services that are named are asked whether they take their key; no part of a key is shown',
    options: {
        sandbox: RUN_OPTIONS.sandbox,
        'include-dir': RUN_OPTIONS['include-dir'],
        'python2-as-3': RUN_OPTIONS['python2-as-3'],
        languages: RUN_OPTIONS.languages,
        endpoint: RUN_OPTIONS.endpoint,
        provider: RUN_OPTIONS.provider,
        'api-key-env': RUN_OPTIONS['api-key-env'],
        config: RUN_OPTIONS.config,
        'self-test': {
            kind: 'flag',
            default: false,
            group: 'What runs',
            about: 'Also judge a tiny dataset in every language, kill a run and resume it; exit 1 if something does not work',
            decides: 'run',
            only: 'command line',
        },
        ...JSON_OPTION,
    },
    examples: [
        { line: 'resume-run doctor', about: 'Before a long run' },
        { line: 'resume-run doctor --self-test', about: 'What works on this machine, tried out' },
        { line: 'resume-run doctor --provider openai', about: 'Whether a service takes its key' },
    ],
    run: async ({ values, env }) => {
        const [{ diagnose }, { checkKeys }, { renderFindings }, { print, printRaw, describeStdout }] =
            await Promise.all([
                import('../executor/judge/doctor.js'),
                import('../executor/chat/check-keys.js'),
                import('../report/doctor.js'),
                import('../compose/output.js'),
            ]);
        const report = await diagnose({
            sandbox: values.sandbox,
            includeDirs: values['include-dir'],
            python2As3: values['python2-as-3'],
            languages: values.languages,
        });
        const keys = checkKeys(env);
        const services = await askServices(values, env);
        const canJudge = report.sandbox.kind !== null && report.helper.kind !== 'none';
        const selfTest = values['self-test'] ? await describeSelfTest(report, canJudge) : null;
        if (values.json)
            printRaw(
                JSON.stringify({ ...report, keys, services, ...(selfTest === null ? {} : { selfTest }) }),
            );
        else {
            const tried = selfTest === null ? [] : [{ title: 'Tried out', rows: selfTest }];
            const models = [collectKeyFindings(keys), collectServiceFindings(services)];
            print(renderFindings([...listFindings(report), ...models, ...tried], describeStdout()));
        }
        // Exit 2 if programs cannot be judged at all.
        if (!canJudge) return 2;
        return [...services, ...(selfTest ?? [])].some(({ state }) => state === 'problem') ? 1 : 0;
    },
});

async function describeSelfTest(
    report: DoctorReport,
    canJudge: boolean,
): Promise<readonly SelfTestFinding[]> {
    const [{ runSelfTest }, { tell }] = await Promise.all([
        import('../compose/self-test.js'),
        import('../compose/output.js'),
    ]);
    const found = report.languages.filter(({ path }) => path !== null).map(({ tag }) => tag);
    tell(
        `trying out ${canJudge ? `${found.length} languages, and ` : ''}a kill and a resume: up to a minute`,
    );
    return runSelfTest(canJudge ? found : [], report.sandbox.asked);
}

/** Checks the services that the options name, if any. */
async function askServices(
    {
        endpoint: endpoints,
        provider: providers,
        'api-key-env': apiKeyEnv,
    }: Values<Pick<typeof RUN_OPTIONS, 'endpoint' | 'provider' | 'api-key-env'>>,
    env: NodeJS.ProcessEnv,
): Promise<readonly ServiceFinding[]> {
    if (endpoints.length === 0 && providers.length === 0) return [];
    // Keys are looked up by name in the environment when they are used; variables that are really set take precedence over .env.
    for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
    const { checkServices } = await import('../executor/chat/check-services.js');
    return checkServices({ endpoints, providers, apiKeyEnv });
}

const collectServiceFindings = (services: readonly ServiceFinding[]): Findings => ({
    title: 'Services of language models',
    rows: services.map(({ endpoint, state, detail }) => ({ name: endpoint, state, detail })),
});

function listFindings(report: DoctorReport): readonly Findings[] {
    return [
        { title: 'Sandbox', rows: makeSandboxRows(report) },
        {
            title: `Not enforced by ${report.sandbox.kind ?? report.sandbox.asked}`,
            rows: report.sandbox.notEnforced.map((detail) => ({
                name: '',
                state: 'problem',
                // The title already names the sandbox.
                detail: detail.replace(`${report.sandbox.kind}: `, ''),
            })),
        },
        { title: 'Languages', rows: report.languages.flatMap(makeLanguageRows) },
        {
            title: 'Modules and headers that programs of datasets use',
            rows: report.imports.flatMap(({ language, found, missing }) => [
                ...(found.length === 0
                    ? []
                    : [{ name: language, state: 'ok' as const, detail: found.join(', ') }]),
                ...(missing.length === 0
                    ? []
                    : [{ name: language, state: 'missing' as const, detail: missing.join(', ') }]),
            ]),
        },
        {
            title: 'Where checkers find testlib.h',
            rows: report.includeDirs.map(({ path, hasTestlib }) => ({
                name: path,
                state: hasTestlib ? 'ok' : 'problem',
                detail: hasTestlib ? '' : 'no testlib.h in it',
            })),
        },
    ];
}

function collectKeyFindings(keys: readonly KeyFinding[]): Findings {
    const said = { ok: 'set', missing: 'not set', problem: '' } as const;
    const rows = keys.map(({ variable, state, problem }) => ({
        name: variable,
        state,
        detail: problem === '' ? said[state] : problem,
    }));
    return { title: 'Keys of language models', rows };
}

function makeSandboxRows({ sandbox, bwrap, helper, user }: DoctorReport): Findings['rows'] {
    const { kind, problem, notes, notEnforced, asked } = sandbox;
    return [
        {
            name: 'used',
            state: kind === null ? 'problem' : 'ok',
            detail: kind === null ? (problem ?? `${asked} does not work`) : kind,
        },
        // What is not enforced is listed in a section of its own.
        ...notes
            .filter((note) => !notEnforced.includes(note))
            .map((detail) => ({ name: 'note', state: 'problem' as const, detail })),
        {
            name: 'bubblewrap',
            state: bwrap === null ? 'missing' : 'ok',
            detail:
                bwrap === null
                    ? 'not on PATH: Debian and Ubuntu have it as bubblewrap'
                    : `${bwrap.version ?? ''} ${bwrap.path}`.trim(),
        },
        {
            name: 'helper',
            state: helper.kind === 'c' ? 'ok' : 'problem',
            detail: helper.note ?? (helper.kind === 'c' ? 'compiled C' : helper.kind),
        },
        {
            name: 'user',
            state: 'ok',
            detail: describeUser(user, kind),
        },
    ];
}

function describeUser(
    { uid, isRoot }: DoctorReport['user'],
    sandbox: DoctorReport['sandbox']['kind'],
): string {
    if (!isRoot) return `uid ${uid ?? '?'}`;
    return sandbox === 'none'
        ? 'root: programs run as root, too'
        : 'root: programs run as an unprivileged user';
}

function makeLanguageRows({
    tag,
    name,
    path,
    version,
    missing,
    passedOver,
}: DoctorLanguage): Findings['rows'] {
    // A tool may print a warning before its version.
    const shown = version === null || /\bwarning\b/i.test(version) ? name : version;
    const found = path === null ? (missing ?? 'not found') : `${shown}  ${path}`;
    return [
        { name: tag, state: path === null ? 'missing' : 'ok', detail: found },
        ...passedOver.map((detail) => ({
            name: '',
            state: 'note' as const,
            detail: `passed over: ${detail}`,
        })),
    ];
}
