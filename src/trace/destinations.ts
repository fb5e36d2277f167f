import { UserError } from '../util/user-error.js';

/** Where spans are sent: LangSmith, or any collector that accepts OTLP over HTTP. */
export interface Destination {
    /** Name in messages, without secrets. */
    readonly name: string;
    /** Null: the exporter uses OTEL_EXPORTER_OTLP_*. */
    readonly url: string | null;
    readonly headers: Readonly<Record<string, string>>;
}

/** `--enable-langsmith` and `--disable-langsmith`; `auto`: LANGSMITH_TRACING decides. */
export type LangSmithChoice = 'on' | 'off' | 'auto';

const LANGSMITH_HOST = 'https://api.smith.langchain.com';

/** Default project of traces, as in the earlier tool. */
const LANGSMITH_PROJECT = 'bigmodel-analysis';

/**
 * The destinations of traces according to the environment; empty if none is requested.
 * @throws UserError if `--enable-langsmith` is given without a key
 */
export function findDestinations(langSmith: LangSmithChoice, env: NodeJS.ProcessEnv): readonly Destination[] {
    return [...readLangSmith(langSmith, env), ...readCollector(env)];
}

/** LANGSMITH_*, or LANGCHAIN_* with the same meaning. */
function readLangSmith(choice: LangSmithChoice, env: NodeJS.ProcessEnv): readonly Destination[] {
    const find = (...names: readonly string[]): string | null => {
        for (const name of names) {
            const value = env[name]?.trim() ?? '';
            if (value !== '') return value;
        }
        return null;
    };
    const isAsked = find('LANGSMITH_TRACING', 'LANGCHAIN_TRACING_V2')?.toLowerCase() === 'true';
    if (choice === 'off' || (choice === 'auto' && !isAsked)) return [];
    const key = find('LANGSMITH_API_KEY', 'LANGCHAIN_API_KEY');
    if (key === null) {
        if (choice === 'auto') return [];
        throw new UserError('--enable-langsmith needs a key in LANGSMITH_API_KEY');
    }
    const host = find('LANGSMITH_ENDPOINT', 'LANGCHAIN_ENDPOINT') ?? LANGSMITH_HOST;
    if (!URL.canParse(host))
        throw new UserError(
            'LANGSMITH_ENDPOINT: expected an address, such as https://api.smith.langchain.com',
        );
    const project = find('LANGSMITH_PROJECT', 'LANGCHAIN_PROJECT') ?? LANGSMITH_PROJECT;
    return [
        {
            name: `LangSmith (${new URL(host).host})`,
            url: `${host.replace(/\/+$/, '')}/otel/v1/traces`,
            // A collector's headers must go only to that collector, but the exporter adds those in the environment; blank values
            // override them.
            headers: { ...makeBlankHeaders(env), 'x-api-key': key, 'Langsmith-Project': project },
        },
    ];
}

function readCollector(env: NodeJS.ProcessEnv): readonly Destination[] {
    const address = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || '';
    const isOff =
        env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
    if (address === '' || isOff) return [];
    if (!URL.canParse(address))
        throw new UserError(
            'OTEL_EXPORTER_OTLP_ENDPOINT: expected an address, such as http://127.0.0.1:4318',
        );
    return [{ name: `the collector at ${new URL(address).host}`, url: null, headers: {} }];
}

/** The headers that the environment specifies for a collector, with blank values. */
function makeBlankHeaders(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
    const named = [env['OTEL_EXPORTER_OTLP_HEADERS'], env['OTEL_EXPORTER_OTLP_TRACES_HEADERS']];
    const names = named.flatMap((list) =>
        (list ?? '').split(',').flatMap((pair) => pair.split('=')[0]?.trim() || []),
    );
    return Object.fromEntries(names.map((name) => [name.toLowerCase(), '']));
}
