import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxKind } from '../descriptor.js';
import { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type LanguageSettings, buildLanguageTable } from './languages.js';
import { COMMON_IMPORTS } from './missing-import.js';
import { ImportProbe } from './probe-import.js';
import { Toolchains, findUsableLanguage } from './toolchains.js';

/** Modules or headers of a language that programs of datasets use most, and which of them are missing here. */
export interface CommonImports {
    readonly language: string;
    readonly missing: readonly string[];
    readonly found: readonly string[];
}

/** Looks for the usual modules and headers as a run would; returns nothing if the sandbox does not work. */
export async function findCommonImports(
    settings: LanguageSettings,
    kind: SandboxKind,
): Promise<readonly CommonImports[]> {
    const scratch = await mkdtemp(join(tmpdir(), 'resume-run-doctor-'));
    let sandbox: Sandbox | null = null;
    try {
        sandbox = await Sandbox.create(kind, scratch);
        const probe = new ImportProbe(sandbox, scratch);
        const toolchains = new Toolchains(kind);
        const table = buildLanguageTable(settings);
        const found: CommonImports[] = [];
        for (const [tag, names] of Object.entries(COMMON_IMPORTS)) {
            const language = table.get(tag);
            const usable = language === undefined ? '' : await findUsableLanguage(language, toolchains);
            if (typeof usable === 'string') continue;
            const what = usable.compile === null ? 'module' : 'header';
            const isMissing = await Promise.all(names.map((name) => probe.isMissing(usable, { what, name })));
            found.push({
                language: usable.language.name,
                missing: names.filter((_, i) => isMissing[i]),
                found: names.filter((_, i) => !isMissing[i]),
            });
        }
        return found;
    } catch (error) {
        if (error instanceof SandboxError) return [];
        throw error;
    } finally {
        await sandbox?.close();
        await rm(scratch, { recursive: true, force: true });
    }
}
