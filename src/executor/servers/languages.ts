import type { ProgramInput } from '../../model/sample.js';
import type { GoJudgeDescriptor, SandboxFusionDescriptor } from '../descriptor.js';
import { languageTable, PYPY3 } from '../judge/languages.js';
import { fusionLanguage, fusionTags } from './fusion-languages.js';

/** Why a server of this kind can never run a submission; null if it may. For the planner, which skips such tasks. */
export function serverSkipReason(
    descriptor: SandboxFusionDescriptor | GoJudgeDescriptor,
): (input: ProgramInput) => string | null {
    switch (descriptor.kind) {
        case 'sandbox-fusion': {
            const { api, python2As3 } = descriptor;
            return ({ language, files }) => {
                if (fusionLanguage(language, api, python2As3) === null)
                    return `SandboxFusion runs no ${language}`;
                if (files.length === 1) return null;
                if (api === 'submit') return 'SandboxFusion takes one source file by /submit';
                return SINGLE_SOURCE.has(language)
                    ? `SandboxFusion compiles one source file of ${language}`
                    : null;
            };
        }
        case 'go-judge': {
            const table = languageTable({
                overrides: descriptor.languages,
                python2As3: descriptor.python2As3,
            });
            return ({ language }) => (table.has(language) ? null : `no language ${language} is known`);
        }
    }
}

/** Languages whose other files the server would not hand to the compiler. */
const SINGLE_SOURCE: ReadonlySet<string> = new Set(['CPP', 'GO', 'RUST', 'CSHARP', 'SCALA']);

/** Tags of the languages that a kind of server may have. */
export function serverLanguages(kind: 'sandbox-fusion' | 'go-judge'): readonly string[] {
    switch (kind) {
        case 'sandbox-fusion':
            return fusionTags();
        case 'go-judge':
            return [...languageTable({ overrides: {}, python2As3: false }).keys()].filter(
                (tag) => tag !== PYPY3,
            );
    }
}
