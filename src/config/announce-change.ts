import type { Json } from '../model/json.js';
import { maskLiteralSecrets } from '../util/secrets.js';
import type { Source } from './layers.js';
import type { OptionSpec } from './option.js';
import { shorten } from './value-error.js';

/** Formats a change: `--timeout 1000 (was 20): time-outs judged under less run again` */
export function announceChange(
    name: string,
    spec: OptionSpec,
    { now, before, source }: { readonly now: Json; readonly before: Json; readonly source: Source },
): string {
    const from = source === 'command line' ? '' : `, from the ${source}`;
    return `${asTyped(name, spec, now)} (was ${asBefore(spec, before)}${from})${describeEffect(spec, now, before)}`;
}

function asTyped(name: string, spec: OptionSpec, value: Json): string {
    if (spec.kind === 'flag') return value === true ? `--${name}` : `--no-${name}`;
    if (spec.kind === 'command') return `-- ${asText(maskSecrets(value))}`;
    return spec.only === 'config file' ? name : `--${name} ${asText(value)}`;
}

function asBefore(spec: OptionSpec, value: Json): string {
    if (value === null) return spec.defaultText ?? 'the default';
    return asText(spec.kind === 'command' ? maskSecrets(value) : value);
}

/** Masks parts of a command that look like secrets. */
function maskSecrets(value: Json): Json {
    return Array.isArray(value) ? maskLiteralSecrets(value.map(String)) : value;
}

function asText(value: Json): string {
    if (value === null) return 'default';
    if (typeof value === 'boolean') return value ? 'on' : 'off';
    if (Array.isArray(value)) return value.length === 0 ? 'none' : shorten(value.map(asText).join(' '));
    if (typeof value !== 'object') return shorten(String(value));
    const { url } = value as { readonly url?: Json };
    return typeof url === 'string' ? shorten(url) : shorten(JSON.stringify(value));
}

function describeEffect(spec: OptionSpec, now: Json, before: Json): string {
    const { effect } = spec;
    if (effect === undefined) return '';
    if (typeof effect === 'string') return `: ${effect}`;
    // A change from or to "the sample's own" may raise some limits and lower others: name the effect that lets tasks run.
    const lowered = now === false || (typeof now === 'number' && typeof before === 'number' && now < before);
    return `: ${lowered ? effect.lowered : effect.raised}`;
}
