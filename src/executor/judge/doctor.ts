import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { LanguageOverride, SandboxChoice, SandboxKind } from '../descriptor.js';
import { findHelper } from '../sandbox/build-helper.js';
import { findProgram } from '../sandbox/find-program.js';
import { probeSandbox } from '../sandbox/probe.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import { findLanguages } from './available.js';
import { type CommonImports, findCommonImports } from './common-imports.js';
import { isInternal, buildLanguageTable } from './languages.js';

export interface DoctorOptions {
    readonly sandbox: SandboxChoice;
    readonly includeDirs: readonly string[];
    readonly python2As3: boolean;
    readonly languages: Readonly<Record<string, LanguageOverride>>;
}

/** What this machine offers for judging, and what it cannot enforce. */
export interface DoctorReport {
    readonly user: { readonly uid: number | null; readonly isRoot: boolean };
    readonly sandbox: {
        readonly asked: SandboxChoice;
        /** null: the requested sandbox does not work; `problem` explains why. */
        readonly kind: SandboxKind | null;
        readonly problem: string | null;
        readonly notes: readonly string[];
        /** What the sandbox in use does not prevent. */
        readonly notEnforced: readonly string[];
    };
    readonly bwrap: { readonly path: string; readonly version: string | null } | null;
    readonly helper: {
        /** `none`: neither a C compiler nor python3 exists, so no program can be started. */
        readonly kind: 'c' | 'python' | 'none';
        readonly path: string | null;
        readonly note: string | null;
    };
    readonly languages: readonly DoctorLanguage[];
    readonly imports: readonly CommonImports[];
    readonly includeDirs: readonly { readonly path: string; readonly hasTestlib: boolean }[];
}

export interface DoctorLanguage {
    readonly tag: string;
    readonly name: string;
    /** null: it cannot run here; `missing` explains why. */
    readonly path: string | null;
    readonly version: string | null;
    readonly missing: string | null;
    /** Tools of the same name that were rejected, and why. */
    readonly passedOver: readonly string[];
}

/** Examines this machine as a run with these options would. Never throws because something is broken. */
export async function diagnose(options: DoctorOptions): Promise<DoctorReport> {
    const [sandbox, bwrap, helper, includeDirs] = await Promise.all([
        examineSandbox(options.sandbox),
        examineBwrap(),
        examineHelper(),
        Promise.all(options.includeDirs.map(examineIncludeDir)),
    ]);
    const languages = await examineLanguages(options, sandbox.kind ?? 'bwrap');
    const { kind } = sandbox;
    const settings = { overrides: options.languages, python2As3: options.python2As3 };
    const imports = kind === null || helper.kind === 'none' ? [] : await findCommonImports(settings, kind);
    const uid = process.getuid?.() ?? null;
    return { user: { uid, isRoot: uid === 0 }, sandbox, bwrap, helper, languages, imports, includeDirs };
}

async function examineSandbox(asked: SandboxChoice): Promise<DoctorReport['sandbox']> {
    try {
        const { kind, notes, notEnforced } = await probeSandbox(asked);
        return { asked, kind, problem: null, notes, notEnforced };
    } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { asked, kind: null, problem: error.message, notes: [], notEnforced: [] };
    }
}

async function examineBwrap(): Promise<DoctorReport['bwrap']> {
    const path = await findProgram('bwrap');
    if (path === null) return null;
    const version = await new Promise<string | null>((resolve) => {
        execFile(path, ['--version'], { timeout: 5000 }, (error, stdout) =>
            resolve(error ? null : stdout.trim()),
        );
    });
    return { path, version };
}

async function examineHelper(): Promise<DoctorReport['helper']> {
    try {
        const { kind, argv, note } = await findHelper();
        return { kind, path: argv.at(-1) ?? null, note };
    } catch (error) {
        if (!(error instanceof SandboxError)) throw error;
        return { kind: 'none', path: null, note: getMessage(error) };
    }
}

async function examineIncludeDir(path: string): Promise<{ path: string; hasTestlib: boolean }> {
    const hasTestlib = await access(join(path, 'testlib.h')).then(
        () => true,
        () => false,
    );
    return { path, hasTestlib };
}

async function examineLanguages(options: DoctorOptions, sandbox: SandboxKind): Promise<DoctorLanguage[]> {
    const settings = { overrides: options.languages, python2As3: options.python2As3 };
    const { available, missing } = await findLanguages(settings, sandbox);
    const languages = [...buildLanguageTable(settings).values()].filter((language) => !isInternal(language));
    return languages.map(({ tag, name }) => {
        const found = available.get(tag);
        return {
            tag,
            name,
            path: found?.run ?? null,
            version: found?.version ?? null,
            missing: missing.get(tag) ?? null,
            passedOver: found?.passedOver ?? [],
        };
    });
}
