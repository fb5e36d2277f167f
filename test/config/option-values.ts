import { expect } from 'vitest';
import { findExecutorKind } from '../../src/executor/kinds.js';
import { isFlag, type OptionSpec } from '../../src/config/option.js';
import { RUN_OPTION_NAMES, RUN_OPTIONS, type RunOptionName } from '../../src/config/run-options.js';
import type { Json } from '../../src/model/json.js';

/*
 * Values for every run option, and the options that it needs.
 */

/** Values of options that have their own syntax. */
const PARSED: Partial<Record<RunOptionName, readonly [string, string, string, string]>> = {
    scorer: ['exact', 'json-schema:/s.json', 'module:/m.mjs#f', 'numeric:0.5'],
    shard: ['1/9', '2/9', '3/9', '4/9'],
    halt: ['1', '2', '3%', '4%'],
    rerun: ['failed', 'tle', 'p/*', 'all'],
    'exit-verdict': ['1=WrongAnswer', '2=WrongAnswer', '3=WrongAnswer', '4=WrongAnswer'],
    endpoint: ['http://a:1', 'http://b:1', 'http://c:1', 'http://d:1'],
    'retry-endpoint': ['http://a:1', 'http://b:1', 'http://c:1', 'http://d:1'],
    module: ['/m/a.mjs', '/m/b.mjs#x', '/m/c.mjs', '/m/d.mjs'],
    'tool-module': ['/m/a.mjs', '/m/b.mjs#x', '/m/c.mjs', '/m/d.mjs'],
    redis: ['redis://a:1', 'rediss://b:1', 'redis://c:1/2', 'unix:///d'],
    checker: ['lines', 'exact', 'float:1e-6', '/checkers/own.cpp'],
};

/** Four different values of an option, as text. */
export function fourValues(name: RunOptionName): readonly [string, string, string, string] {
    const spec: OptionSpec = RUN_OPTIONS[name];
    switch (spec.kind) {
        case 'flag':
            return ['true', 'false', 'true', 'false'];
        case 'choice': {
            const choices = spec.choices ?? [];
            return [0, 1, 2, 3].map((n) => choices[n % choices.length]) as [string, string, string, string];
        }
        case 'parsed':
            return PARSED[name] ?? expect.unreachable(`no values for --${name}`);
        case 'text':
        case 'path':
            return ['/a', '/b', '/c', '/d'];
        case 'factor':
            return ['0.1', '0.2', '0.3', '0.4'];
        case 'integer':
        case 'seconds':
        case 'mebibytes':
        case 'command':
        case 'languages':
            return ['11', '12', '13', '14'];
    }
}

/** A text as the value of the option in a JSON file. */
export function asJson(name: RunOptionName, text: string): Json {
    const spec: OptionSpec = RUN_OPTIONS[name];
    const one: Json =
        spec.kind === 'flag'
            ? text === 'true'
            : ['integer', 'seconds', 'factor', 'mebibytes'].includes(spec.kind)
              ? Number(text)
              : text;
    return spec.repeatable === true ? [one] : one;
}

/** Options that only make sense together with others (such as their executor), and --dir, which decides where run.json is. */
export const BESIDE: Partial<Record<RunOptionName, Record<string, string>>> = {
    endpoint: { executor: 'go-judge' },
    'retry-endpoint': { executor: 'go-judge', endpoint: 'http://e:1' },
    'endpoint-limits': { executor: 'go-judge', endpoint: 'http://e:1' },
    'endpoint-wait': { executor: 'go-judge', endpoint: 'http://e:1' },
    'first-timeout': { executor: 'go-judge', endpoint: 'http://e:1', timeout: '1000' },
    'fusion-api': { executor: 'sandbox-fusion', endpoint: 'http://e:1' },
    module: { executor: 'module' },
    'exit-verdict': { executor: 'exec' },
    model: { executor: 'chat', endpoint: 'http://e:1' },
    ...Object.fromEntries(
        Object.keys(findExecutorKind('chat').options)
            .filter((name) => !['endpoint', 'endpoint-limits', 'endpoint-wait', 'model'].includes(name))
            .map((name) => [name, { executor: 'chat', endpoint: 'http://e:1', model: 'm' }]),
    ),
};
/** Their executors cannot run without these. */
export const NEEDED: readonly RunOptionName[] = ['module', 'endpoint', 'model'];
export const VARIED = RUN_OPTION_NAMES.filter(
    (name) => isFlag(RUN_OPTIONS[name]) && name !== 'config' && name !== 'executor',
);
