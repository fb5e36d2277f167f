import type { RunConfig } from '../config.js';
import { isKnownLanguage } from '../dataset/language-tags.js';
import type { ProgramInput } from '../model/sample.js';

/**
 * Explains that a program cannot run because its language is unknown; null if the name is known, even if its tools are missing.
 * @param languages rows of the config file, which may name any language
 */
export function describeUnknownLanguage(
    { language: tag, unknownName }: Pick<ProgramInput, 'language' | 'unknownName'>,
    languages: RunConfig['judging']['languages'],
): string | null {
    if (isKnownLanguage(tag)) return null;
    if (Object.keys(languages).some((name) => name.toUpperCase() === tag)) return null;
    return `unknown language name ${JSON.stringify((unknownName ?? tag).slice(0, 60))}`;
}
