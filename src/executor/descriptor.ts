export type SandboxChoice = 'auto' | 'bwrap' | 'rlimit' | 'none';
export type SandboxKind = Exclude<SandboxChoice, 'auto'>;
export type KeepOutput = 'none' | 'failed' | 'all';

/** What every executor that judges needs to know. */
export interface JudgingOptions {
    /** `--all-tests`: go on after the first test that is not passed. */
    readonly allTests: boolean;
    readonly keepOutput: KeepOutput;
    /** `--output-limit`: bytes of output kept of a test. */
    readonly outputLimit: number;
}

/** How programs and checkers run on this machine. */
export interface LocalOptions {
    readonly sandbox: SandboxKind;
    /** `--include-dir`: where checkers find testlib.h. */
    readonly includeDirs: readonly string[];
    /** Folder for scratch files and compiled programs of this run; exists, is ours alone. */
    readonly scratch: string;
    /** Folder of compiled submissions kept between runs. */
    readonly compileCache: string;
    /** `--python2-as-3` */
    readonly python2As3: boolean;
    /** `--adapt-windows`: programs written for Windows judges are changed so that they compile here. */
    readonly adaptWindows: boolean;
    /** `languages` of the config file: adds to or replaces rows of the language table. */
    readonly languages: Readonly<Record<string, LanguageOverride>>;
}

/** A row of the language table as a config file gives it. `{source}`, `{dir}`, `{out}`, `{memory_mb}` are replaced. */
export interface LanguageOverride {
    readonly compile?: readonly string[];
    readonly run?: readonly string[];
    readonly extensions?: readonly string[];
    readonly source?: string;
}

export interface EndpointOptions {
    /** Its name in the pool of the run, where that is in another process; absent: found from its address and key. */
    readonly name?: string;
    readonly url: string;
    readonly concurrency: number | null;
    /** Requests a second. */
    readonly rate: number | null;
    /** Name of the environment variable that holds the token, or a file; never the token itself. */
    readonly token: { readonly env: string } | { readonly file: string } | null;
    readonly headers: Readonly<Record<string, string>>;
    /** Base URL that requests are really sent to, where it is not `url`: the local server of a demonstration. */
    readonly sentTo?: string;
    /** Header that takes the token; absent: `authorization`, as a bearer token. */
    readonly tokenHeader?: 'api-key';
    readonly requestsPerMinute?: number | null;
    readonly tokensPerMinute?: number | null;
    /** Endpoints with one account share their limits; absent: each has its own. */
    readonly account?: string;
    /** By model: the name under which this endpoint has it. It serves no other; absent: all, by their own names. */
    readonly deployments?: Readonly<Record<string, string>>;
    /** Added to every address as `api-version`. */
    readonly apiVersion?: string;
    /** Service of language models that it belongs to, where that is known. */
    readonly provider?: string;
}

export interface ServerOptions {
    readonly endpoints: readonly EndpointOptions[];
    readonly retryEndpoints: readonly EndpointOptions[];
    /** Adaptive limits halve on a rate error and grow by one after a run of successes. */
    readonly limits: 'fixed' | 'adaptive';
    /** Seconds to wait for any endpoint to come back before the run gives up; Infinity cannot cross JSON: null means for ever. */
    readonly endpointWait: number | null;
    /** `--first-timeout`, seconds. */
    readonly firstTimeout: number | null;
}
