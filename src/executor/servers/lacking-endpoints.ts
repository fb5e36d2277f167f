import { importProbe, isProbedMissing, type ProbeEnd } from '../judge/import-probe-source.js';
import { describeMissing, findMissingImport, type MissingImport } from '../judge/missing-import.js';
import type { Step } from './session.js';

/** Maximum number of distinct names to remember, because they come from submissions. */
const MAX_NAMES = 1000;

/** A program that did not compile, or crashed, on an endpoint. */
export interface ComplainingProgram {
    readonly endpoint: string;
    /** Language tag. */
    readonly tag: string;
    /** What the compiler or the program itself wrote to stderr. */
    readonly said: string;
    readonly sources: () => Promise<readonly string[]>;
    /** Runs a control program there, in the same language and under the same conditions. */
    readonly runProbe: (code: string) => Promise<Step<ProbeEnd>>;
}

/** Tracks which endpoints of a fleet lack which modules and headers; each is tested once. */
export class LackingEndpoints {
    readonly #byImport = new Map<string, Set<string>>();

    /**
     * Refuses a verdict if the program needs something that the endpoint lacks: `failed` with the reason `environment`, to be
     * tried elsewhere; null otherwise.
     */
    async refuse(program: ComplainingProgram): Promise<Step<never> | null> {
        const { endpoint, tag, said } = program;
        if (said === '') return null;
        const missing = findMissingImport(tag, said, await program.sources());
        if (missing === null) return null;
        const without = this.#endpointsWithout(missing, tag);
        if (!without.has(endpoint)) {
            const step = await program.runProbe(importProbe(missing, tag));
            if (step.kind !== 'done') return step;
            if (!isProbedMissing(missing, tag, step.value)) return null;
            without.add(endpoint);
        }
        const message = describeMissing(missing, tag, `on ${endpoint}`);
        return { kind: 'failed', failure: { reason: 'environment', message }, retry: true, alike: without };
    }

    #endpointsWithout({ what, name }: MissingImport, tag: string): Set<string> {
        const key = `${tag} ${what} ${name}`;
        let without = this.#byImport.get(key);
        if (without === undefined) {
            without = new Set();
            this.#byImport.set(key, without);
            if (this.#byImport.size > MAX_NAMES) this.#byImport.delete([...this.#byImport.keys()][0] ?? '');
        }
        return without;
    }
}
