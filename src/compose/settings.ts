import type { EndpointSetting, LanguageSetting } from '../config/option.js';
import { type GivenOptions, RUN_OPTION_NAMES } from '../config.js';
import type { RUN_OPTIONS, RunOptionName } from '../config/run-options.js';
import type { Json } from '../model/json.js';
import { findNearest } from '../util/nearest.js';
import { UserError } from '../util/user-error.js';

/** `all-tests` is `allTests`. */
type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
    ? `${Head}${Capitalize<CamelCase<Tail>>}`
    : S;

/** The type of an option's value. Values with their own syntax are text, as on the command line. */
type OneSetting<S> = S extends { readonly kind: 'flag' }
    ? boolean
    : S extends { readonly kind: 'integer' | 'seconds' | 'factor' | 'mebibytes' }
      ? number
      : S extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
        ? C
        : S extends { readonly kind: 'parsed'; readonly parser: { readonly shape: 'endpoint' } }
          ? string | EndpointSetting
          : S extends { readonly kind: 'languages' }
            ? Readonly<Record<string, LanguageSetting>>
            : string;

/** `default` makes a start ignore what run.json stores for an option. */
type Setting<S> =
    | (S extends { readonly repeatable: true } ? readonly OneSetting<S>[] | OneSetting<S> : OneSetting<S>)
    | 'default';

type Options = typeof RUN_OPTIONS;

/** The options of a run, in camelCase or with dashes as on the command line. */
export type OptionSettings = {
    readonly [N in Exclude<RunOptionName, 'command'> as CamelCase<N>]?: Setting<Options[N]>;
} & {
    readonly [N in Exclude<RunOptionName, 'command'>]?: Setting<Options[N]>;
};

const DASHED: ReadonlyMap<string, RunOptionName> = new Map(
    RUN_OPTION_NAMES.flatMap((name) => [
        [name, name],
        [toCamelCase(name), name],
    ]),
);

/** The setting's name for an option: `all-tests` becomes `allTests`. */
export function toCamelCase(name: string): string {
    return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Converts the settings of a program to options as the command line gives them.
 * @throws UserError for an unknown name, or for an option that is given under both of its names
 */
export function readGivenOptions(settings: Readonly<Record<string, unknown>>): GivenOptions {
    const given = new Map<string, Json | undefined>();
    for (const [key, value] of Object.entries(settings)) {
        if (value === undefined) continue;
        const name = DASHED.get(key);
        if (name === undefined) refuseUnknown(key);
        if (given.has(name))
            throw new UserError(
                `the settings ${toCamelCase(name)} and ${name} are the same: give one of them`,
            );
        given.set(name, value as Json);
    }
    return Object.fromEntries(given);
}

function refuseUnknown(key: string): never {
    const meant = findNearest(key, DASHED.keys());
    const hint = meant === null ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
    throw new UserError(`there is no setting ${JSON.stringify(key)}${hint}`);
}
