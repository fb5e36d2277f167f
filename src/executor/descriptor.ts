export type SandboxChoice = 'auto' | 'bwrap' | 'rlimit' | 'none';
export type SandboxKind = Exclude<SandboxChoice, 'auto'>;
export type KeepOutput = 'none' | 'failed' | 'all';

/** Options of every executor that judges programs. */
export interface JudgingOptions {
    /** `--all-tests`: continue after the first failed test. */
    readonly allTests: boolean;
    readonly keepOutput: KeepOutput;
    /** `--output-limit`: bytes of output kept per test. */
    readonly outputLimit: number;
}

/** How programs and checkers run on this machine. */
export interface LocalOptions {
    readonly sandbox: SandboxKind;
    /** `--include-dir`: where checkers find testlib.h. */
    readonly includeDirs: readonly string[];
    /** Folder for scratch files and compiled programs of this run; exists and is used only by this run. */
    readonly scratch: string;
    /** Folder of compiled submissions that are kept between runs. */
    readonly compileCache: string;
    /** `--python2-as-3` */
    readonly python2As3: boolean;
    /** `--adapt-windows`: programs written for Windows judges are modified so that they compile here. */
    readonly adaptWindows: boolean;
    /** `languages` of the config file: adds or replaces rows of the language table. */
    readonly languages: Readonly<Record<string, LanguageOverride>>;
}

/** A row of the language table from a config file. `{source}`, `{dir}`, `{out}`, `{memory_mb}` are replaced. */
export interface LanguageOverride {
    readonly compile?: readonly string[];
    readonly run?: readonly string[];
    readonly extensions?: readonly string[];
    readonly source?: string;
}

export interface EndpointOptions {
    /** Its name in the run's pool, if that is in another process; absent: derived from its address and key. */
    readonly name?: string;
    readonly url: string;
    readonly concurrency: number | null;
    /** Requests per second. */
    readonly rate: number | null;
    /** Name of the environment variable or file that holds the token; never the token itself. */
    readonly token: { readonly env: string } | { readonly file: string } | null;
    readonly headers: Readonly<Record<string, string>>;
    /** Base URL that requests are actually sent to, if it is not `url`: the local server of a demonstration. */
    readonly sentTo?: string;
    /** Header that carries the token; absent: `authorization`, as a bearer token. */
    readonly tokenHeader?: 'api-key';
    readonly requestsPerMinute?: number | null;
    readonly tokensPerMinute?: number | null;
    /** Endpoints with the same account share their limits; absent: the endpoint has its own. */
    readonly account?: string;
    /** Names of models at this endpoint, by model. It serves no others; absent: it serves all models by their own names. */
    readonly deployments?: Readonly<Record<string, string>>;
    /** Added to every address as `api-version`. */
    readonly apiVersion?: string;
    /** The language model service that it belongs to, if known. */
    readonly provider?: string;
}

export interface ServerOptions {
    readonly endpoints: readonly EndpointOptions[];
    readonly retryEndpoints: readonly EndpointOptions[];
    /** Adaptive limits are halved on a rate error and grow by one after a series of successes. */
    readonly limits: 'fixed' | 'adaptive';
    /** Seconds to wait for any endpoint to recover before the run gives up; null means for ever, since JSON has no Infinity. */
    readonly endpointWait: number | null;
    /** `--first-timeout`, seconds. */
    readonly firstTimeout: number | null;
}
