import type { Json, JsonObject } from '../model/json.js';

/**
 * What an option's value is. A kind has one parser (parse-option.ts) and one type of value, whichever source the value
 * comes from: command line, environment, config file or run.json.
 */
export type OptionKind =
    | 'flag'
    | 'text'
    | 'path'
    | 'choice'
    | 'integer'
    /** Seconds, as `1000` or `1.5`. */
    | 'seconds'
    | 'factor'
    /** MiB, as `512` or `0.5`. */
    | 'mebibytes'
    /** A command and its arguments; on the command line what follows `--`. */
    | 'command'
    /** Rows of the language table; only in a config file. */
    | 'languages'
    /** A value with a syntax of its own, read by the option's `parser`. */
    | 'parsed';

/** Where a value was given. */
export interface ValueOrigin {
    /** How messages name it: `--timeout`, `RESUME_RUN_TIMEOUT`, `resume-run.config.json:3: timeout`. */
    readonly label: string;
    /** Absolute folder that relative paths in the value start from. */
    readonly base: string;
}

/** Reads the values of an option that has a syntax of its own, such as `2/4` or `code=Verdict`. */
export interface ValueParser<V> {
    /** @throws UserError that names the origin, what was expected and what was given */
    parse(raw: Json, origin: ValueOrigin): V;
    /** The value as messages show it and run.json keeps it, without secrets. `parse` reads it back to an equal value. */
    format(value: V): Json;
    /** What the config file's schema accepts: a text, or a server's address with its settings. */
    readonly shape: 'text' | 'endpoint';
}

/**
 * What an option decides. Options that decide `verdict` (what a result says), `tasks` (which tasks there are), `records` (how
 * the results database is written) or `service` (how a service may be asked) are kept in run.json and restored by a later start;
 * `run` (how this run goes) and `display` are not.
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
    /** A variable of the earlier tools that gives it too; `RESUME_RUN_<NAME>` goes first. */
    readonly variable?: string;
    /**
     * A variable of the earlier tools that holds the default: what run.json remembers goes before it. Of a repeatable option
     * it is a list separated by commas.
     */
    readonly defaultVariable?: string;
    /** Of kind `choice`: what it may be. */
    readonly choices?: readonly string[];
    /** Of kind `choice`: words of the earlier tools for some of the choices. */
    readonly synonyms?: Readonly<Record<string, string>>;
    /** Of kind `parsed`: reads its values. */
    readonly parser?: ValueParser<unknown>;
    /** May be given more than once; the value is a list. */
    readonly repeatable?: true;
    /** Of a repeatable option: takes all the words that follow it, as in `--topics A B C`. */
    readonly takesSeveral?: true;
    /** The value where no source gives one; null: none. */
    readonly default: Json;
    /** What people read where `default` does not tell them (`cores`). */
    readonly defaultText?: string;
    /** Least and greatest number. */
    readonly min?: number;
    readonly max?: number;
    /** Stands for the value in help: `<seconds>`. */
    readonly placeholder?: string;
    readonly group: OptionGroup;
    readonly about: string;
    readonly decides: Decides;
    /** What changing it does to existing results; announced before anything runs. */
    readonly effect?: string | { readonly raised: string; readonly lowered: string };
    /** The only place it can be given; everywhere if absent. Options for a single start must not live in a file. */
    readonly only?: 'command line' | 'config file' | 'not a flag';
    /** Of a flag that is on by default: what `--no-<name>` does, which is what help shows. */
    readonly aboutNegated?: string;
}

/** Options by name (as after `--`). A command declares its table beside its action. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** A server with limits of its own, as an object in a config file; `url` may hold ranges (`{1..4}`) and comma lists. */
export interface EndpointSetting {
    readonly url: string;
    /** The addresses that `url` stands for; absent where it names variables, whose values are read when they are used. */
    readonly addresses?: readonly string[];
    readonly concurrency?: number;
    /** Requests a second. */
    readonly rate?: number;
    /** Where the token is: the name of an environment variable, or a file. Never the token itself. */
    readonly token?: { readonly env: string } | { readonly file: string };
    readonly headers?: Readonly<Record<string, string>>;
    /** Endpoints of one account share their limits. */
    readonly account?: string;
    readonly 'requests-per-minute'?: number;
    readonly 'tokens-per-minute'?: number;
    /** By model: its deployment at this endpoint, which serves no other. */
    readonly deployments?: Readonly<Record<string, string>>;
    readonly 'api-version'?: string;
}

/** A row of the language table as a config file gives it. `{source}`, `{dir}`, `{out}`, `{memory_mb}` are replaced. */
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

/** The values of a table, each of its type. */
export type Values<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

/** Option name to value as JSON: what run.json keeps. */
export type StoredOptions = JsonObject;

/** The environment variable of an option: `--time-factor` is `RESUME_RUN_TIME_FACTOR`. */
export function toEnvironmentName(option: string): string {
    return ENVIRONMENT_PREFIX + option.toUpperCase().replaceAll('-', '_');
}

export const ENVIRONMENT_PREFIX = 'RESUME_RUN_';

/** Whether run.json keeps it and a later start restores it. */
export function isRestored(spec: OptionSpec): boolean {
    return RESTORED.includes(spec.decides);
}

/** Whether it is given on the command line with dashes. */
export function isFlag(spec: OptionSpec): boolean {
    return spec.only === undefined || spec.only === 'command line';
}

/** Whether a config file may hold it. */
export function isConfigKey(spec: OptionSpec): boolean {
    return spec.only !== 'command line';
}

/** A name of an option as it is typed: `-c`, `--max-retries`. */
export const withDashes = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

/** A default as people read it; null where there is nothing to show. */
export function describeDefault(spec: OptionSpec): string | null {
    if (spec.defaultText !== undefined) return spec.defaultText;
    return typeof spec.default === 'string' || typeof spec.default === 'number' ? String(spec.default) : null;
}

/** Whether it can be given in the environment. `--config` can, though no config file can name another. */
export function isVariable(name: string, spec: OptionSpec): boolean {
    return spec.only === undefined || spec.only === 'not a flag' || name === 'config';
}
