import type { Json, JsonObject } from '../model/json.js';

/**
 * The type of an option's value. Each kind has one parser (parse-option.ts) and one value type for all sources: command line,
 * environment, config file and run.json.
 */
export type OptionKind =
    | 'flag'
    | 'text'
    | 'path'
    | 'choice'
    | 'integer'
    /** Seconds, such as `1000` or `1.5`. */
    | 'seconds'
    | 'factor'
    /** MiB, such as `512` or `0.5`. */
    | 'mebibytes'
    /** A command and its arguments; on the command line, the words after `--`. */
    | 'command'
    /** Rows of the language table; in a config file only. */
    | 'languages'
    /** A value with a syntax of its own, read by the option's `parser`. */
    | 'parsed';

/** Where a value was given. */
export interface ValueOrigin {
    /** How messages name it: `--timeout`, `RESUME_RUN_TIMEOUT`, `resume-run.config.json:3: timeout`. */
    readonly label: string;
    /** Absolute folder; relative paths in the value are resolved against it. */
    readonly base: string;
}

/** Reads the values of an option that has a syntax of its own, such as `2/4` or `code=Verdict`. */
export interface ValueParser<V> {
    /** @throws UserError that names the origin, what was expected and what was given */
    parse(raw: Json, origin: ValueOrigin): V;
    /** The value as shown in messages and stored in run.json, without secrets. `parse` reads it back to an equal value. */
    format(value: V): Json;
    /** What the config file's schema accepts: text, or a server's address with its settings. */
    readonly shape: 'text' | 'endpoint';
}

/**
 * What an option affects. Options that affect `verdict` (what a result says), `tasks` (which tasks there are), `records` (how the
 * results database is written) or `service` (how a service may be used) are stored in run.json and restored by a later start;
 * `run` (how this run proceeds) and `display` are not.
 */
export type Decides = 'verdict' | 'tasks' | 'records' | 'service' | 'run' | 'display';

const RESTORED: readonly Decides[] = ['verdict', 'tasks', 'records', 'service'];

export type OptionGroup =
    | 'Where things are'
    | 'What runs'
    | 'Limits and verdicts'
    | 'Topics'
    | 'Matrix'
    | 'Running'
    | 'Sandbox servers'
    | 'Language models'
    | 'What is kept'
    | 'Results database'
    | 'What you see'
    | 'Configuration';

export interface OptionSpec {
    readonly kind: OptionKind;
    /** Other names, without dashes: single letters, and words that the earlier tools used. */
    readonly aliases?: readonly string[];
    /** A variable of the earlier tools that also sets the option; `RESUME_RUN_<NAME>` takes precedence. */
    readonly variable?: string;
    /**
     * A variable of the earlier tools that holds the default: run.json takes precedence over it. For a repeatable option it is a
     * list separated by commas.
     */
    readonly defaultVariable?: string;
    /** For kind `choice`: the permitted words. */
    readonly choices?: readonly string[];
    /** For kind `choice`: words of the earlier tools for some of the choices. */
    readonly synonyms?: Readonly<Record<string, string>>;
    /** For kind `parsed`: reads the values. */
    readonly parser?: ValueParser<unknown>;
    /** May be given more than once; the value is a list. */
    readonly repeatable?: true;
    /** For a repeatable option: takes all words that follow it, as in `--topics A B C`. */
    readonly takesSeveral?: true;
    /** The value if no source sets one; null: none. */
    readonly default: Json;
    /** The default as shown to people if `default` is not informative (`cores`). */
    readonly defaultText?: string;
    /** Minimum and maximum of a number. */
    readonly min?: number;
    readonly max?: number;
    /** Stands for the value in help: `<seconds>`. */
    readonly placeholder?: string;
    readonly group: OptionGroup;
    readonly about: string;
    readonly decides: Decides;
    /** How changing the option affects existing results; announced before anything runs. */
    readonly effect?: string | { readonly raised: string; readonly lowered: string };
    /** The only place where the option can be set; absent: everywhere. Options for a single start must not be in a file. */
    readonly only?: 'command line' | 'config file' | 'not a flag';
    /** For a flag that is on by default: what `--no-<name>` does, which is what help shows. */
    readonly aboutNegated?: string;
}

/** Options by name (as typed after `--`). A command declares its table beside its action. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** A server with its own limits, as an object in a config file; `url` may contain ranges (`{1..4}`) and comma lists. */
export interface EndpointSetting {
    readonly url: string;
    /** The addresses that `url` expands to; absent if it refers to variables, which are read when they are used. */
    readonly addresses?: readonly string[];
    readonly concurrency?: number;
    /** Requests a second. */
    readonly rate?: number;
    /** Where to find the token: the name of an environment variable, or a file. Never the token itself. */
    readonly token?: { readonly env: string } | { readonly file: string };
    readonly headers?: Readonly<Record<string, string>>;
    /** Endpoints of one account share their limits. */
    readonly account?: string;
    readonly 'requests-per-minute'?: number;
    readonly 'tokens-per-minute'?: number;
    /** Deployments at this endpoint by model; it serves no other models. */
    readonly deployments?: Readonly<Record<string, string>>;
    readonly 'api-version'?: string;
}

/** A row of the language table as given in a config file. `{source}`, `{dir}`, `{out}`, `{memory_mb}` are replaced. */
export interface LanguageSetting {
    readonly compile?: readonly string[];
    readonly run?: readonly string[];
    readonly extensions?: readonly string[];
    readonly source?: string;
}

type OneValue<S> = S extends { readonly kind: 'flag' }
    ? boolean
    : S extends { readonly kind: 'integer' | 'seconds' | 'factor' | 'mebibytes' }
      ? number
      : S extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
        ? C
        : S extends { readonly kind: 'parsed'; readonly parser: ValueParser<infer V> }
          ? V
          : S extends { readonly kind: 'command' }
            ? readonly [string, ...string[]]
            : S extends { readonly kind: 'languages' }
              ? Readonly<Record<string, LanguageSetting>>
              : string;

type ValueOf<S> = S extends { readonly repeatable: true }
    ? readonly OneValue<S>[]
    : S extends { readonly default: null }
      ? OneValue<S> | null
      : OneValue<S>;

/** The typed values of a table. */
export type Values<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** Option names with values as JSON: what run.json stores. */
export type StoredOptions = JsonObject;

/** The environment variable of an option: `--time-factor` is `RESUME_RUN_TIME_FACTOR`. */
export function toEnvironmentName(option: string): string {
    return ENVIRONMENT_PREFIX + option.toUpperCase().replaceAll('-', '_');
}

export const ENVIRONMENT_PREFIX = 'RESUME_RUN_';

/** Whether run.json stores the option and a later start restores it. */
export function isRestored(spec: OptionSpec): boolean {
    return RESTORED.includes(spec.decides);
}

/** Whether the option is given with dashes on the command line. */
export function isFlag(spec: OptionSpec): boolean {
    return spec.only === undefined || spec.only === 'command line';
}

/** Whether a config file may set the option. */
export function isConfigKey(spec: OptionSpec): boolean {
    return spec.only !== 'command line';
}

/** An option name as it is typed: `-c`, `--max-retries`. */
export const withDashes = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/** A default as shown to people; null if there is nothing to show. */
export function describeDefault(spec: OptionSpec): string | null {
    if (spec.defaultText !== undefined) return spec.defaultText;
    return typeof spec.default === 'string' || typeof spec.default === 'number' ? String(spec.default) : null;
}

/** Whether the option can be set in the environment. `--config` can, although a config file cannot name another one. */
export function isVariable(name: string, spec: OptionSpec): boolean {
    return spec.only === undefined || spec.only === 'not a flag' || name === 'config';
}
