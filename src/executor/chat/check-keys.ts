import { PROVIDER_NAMES, providerKeyVariable } from './providers.js';

/** What is known about a service's key, without any part of it. */
export interface KeyFinding {
    readonly provider: string;
    readonly variable: string;
    readonly state: 'ok' | 'missing' | 'problem';
    /** What is wrong with it; empty if nothing is. */
    readonly problem: string;
}

/** Checks the keys of known language model services in the environment. Nothing is sent, and no part of a key is shown. */
export function checkKeys(env: NodeJS.ProcessEnv): readonly KeyFinding[] {
    return PROVIDER_NAMES.flatMap((provider) => {
        const variable = providerKeyVariable(provider);
        return variable === null ? [] : [{ provider, variable, ...examineKey(env[variable]) }];
    });
}

function examineKey(key: string | undefined): Pick<KeyFinding, 'state' | 'problem'> {
    if (key === undefined || key === '') return { state: 'missing', problem: '' };
    if (/^\s|\s$/.test(key)) return { state: 'problem', problem: 'begins or ends with white space' };
    if (/^["']|["']$/.test(key)) return { state: 'problem', problem: 'has quotes around it' };
    if (/[^\x21-\x7e]/.test(key))
        return { state: 'problem', problem: 'holds a character that no header can carry' };
    if (/^(your|sk-your|<|xxx)/i.test(key)) return { state: 'problem', problem: 'looks like a placeholder' };
    return { state: 'ok', problem: '' };
}
