import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { SandboxKind } from '../descriptor.js';
import { findPrograms } from '../sandbox/find-program.js';
import { isRunnableByOthers } from '../sandbox/reachable.js';
import type { Language } from './language.js';
import { rememberFacts } from './tool-facts.js';
import { findHomeFolder } from '../../util/home-folder.js';

/** A tool as it is actually run: not the shim of a version manager, and accessible to the sandbox's user. */
export interface Tool {
    readonly name: string;
    readonly path: string;
    /** First line of its version output; empty if there is none. */
    readonly version: string;
    /** Folder that the sandbox must make visible, for tools outside /usr; null for those inside. */
    readonly root: string | null;
}

export interface FoundTool {
    readonly tool: Tool | null;
    /** Other tools of that name that were rejected, and why, one line each. */
    readonly passedOver: readonly string[];
}

/**
 * Finds tools, each once. As root, programs run as a user who owns nothing (except in mode none), so a tool under root's home is
 * unusable.
 */
export class Toolchains {
    readonly #found = new Map<string, Promise<FoundTool>>();

    constructor(private readonly sandbox: SandboxKind) {}

    find(name: string): Promise<FoundTool> {
        let known = this.#found.get(name);
        if (known === undefined) {
            known = this.#search(name);
            this.#found.set(name, known);
        }
        return known;
    }

    async #search(name: string): Promise<FoundTool> {
        const passedOver: string[] = [];
        for (const candidate of await findPrograms(name)) {
            const result = await this.#consider(name, candidate);
            if (typeof result !== 'string') return { tool: result, passedOver };
            passedOver.push(`${candidate}: ${result}`);
        }
        return { tool: null, passedOver: [...new Set(passedOver)] };
    }

    /** The tool, or the reason why it is rejected. */
    async #consider(name: string, candidate: string): Promise<Tool | string> {
        const real = await realTool(name, candidate);
        if (real === null) return 'a version manager stands in for it, and has none to offer';
        if (process.getuid?.() === 0 && this.sandbox !== 'none' && !(await isRunnableByOthers(real))) {
            return `${real} is not accessible to the unprivileged user that runs programs`;
        }
        const root = findRoot(real);
        if (root === undefined) return `${real} is in a folder that is not visible inside the sandbox`;
        return { name, path: real, version: (await readVersion(name, real)) ?? '', root };
    }
}

/** Resolves links and the shims that version managers put on PATH, which cost 50 to 200 ms on each call. */
async function realTool(name: string, candidate: string): Promise<string | null> {
    const resolved = await realpath(candidate);
    if (/^(python|pypy)/.test(name) && (await isScript(resolved))) {
        return rememberFacts(
            `shim ${process.env['PYENV_VERSION'] ?? ''}`,
            [candidate, ...pyenvChoice()],
            async () =>
                firstLine(await output(candidate, ['-c', 'import sys; print(sys.executable)']), realpath),
        );
    }
    if (resolved.endsWith(`${sep}rustup`)) {
        const sysroot = await rememberFacts(
            `rustup ${process.env['RUSTUP_TOOLCHAIN'] ?? ''}`,
            [resolved, ...inHome('RUSTUP_HOME', '.rustup', 'settings.toml')],
            async () => firstLine(await output(candidate, ['--print', 'sysroot']), async (line) => line),
        );
        return sysroot === null ? null : join(sysroot, 'bin', name);
    }
    return candidate.includes(`${sep}shims${sep}`) && (await isScript(resolved))
        ? null
        : inPlace(candidate, resolved);
}

/** The file in which pyenv records its selected version. */
function pyenvChoice(): string[] {
    return inHome('PYENV_ROOT', '.pyenv', 'version');
}

/** A file in the folder that a variable names, or else in a folder of the user's home; empty if there is no home. */
function inHome(variable: string, folder: string, file: string): string[] {
    const home = findHomeFolder();
    const place = process.env[variable] ?? (home === null ? null : join(home, folder));
    return place === null ? [] : [join(place, file)];
}

/** Tools that depend on the name they are called by (g++, busybox) keep it; a link into another folder is followed. */
function inPlace(candidate: string, resolved: string): string {
    return candidate.startsWith('/usr/') ? candidate : resolved;
}

async function firstLine(
    text: string | null,
    map: (line: string) => Promise<string>,
): Promise<string | null> {
    const line = text?.split('\n')[0]?.trim() ?? '';
    return line === '' ? null : map(line).catch(() => null);
}

async function isScript(path: string): Promise<boolean> {
    const file = await open(path, 'r');
    try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
        return bytesRead === 2 && buffer.toString('latin1') === '#!';
    } finally {
        await file.close();
    }
}

/** null: inside /usr; undefined: no folder can be made visible without exposing a home folder, too. */
function findRoot(path: string): string | null | undefined {
    if (path.startsWith('/usr/') || path.startsWith('/bin/')) return null;
    const folder = dirname(path);
    const root = folder.endsWith(`${sep}bin`) ? dirname(folder) : folder;
    const home = findHomeFolder();
    const holdsHome = home !== null && (root === home || home.startsWith(`${root}${sep}`));
    const tooMuch = root === '/' || holdsHome || root.endsWith('.local');
    return tooMuch ? undefined : root;
}

const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
    java: ['-version'],
    javac: ['-version'],
    kotlinc: ['-version'],
    go: ['version'],
    lua: ['-v'],
    'lua5.4': ['-v'],
    'lua5.3': ['-v'],
    luajit: ['-v'],
    fpc: ['-iV'],
    ocamlopt: ['-version'],
};

async function readVersion(name: string, path: string): Promise<string | null> {
    return rememberFacts(`version ${name}`, [path], async () =>
        firstLine(await output(path, VERSION_ARGUMENTS[name] ?? ['--version']), async (line) => line),
    );
}

/** A command's stdout, or else its stderr; null if it fails. */
function output(path: string, args: readonly string[]): Promise<string | null> {
    return new Promise((resolve) => {
        execFile(path, args, { timeout: 20_000, cwd: '/' }, (error, stdout, stderr) => {
            resolve(error === null ? stdout.trim() || stderr.trim() : null);
        });
    });
}

/** A language that can run here: its row, with the commands whose tools were found. */
export interface UsableLanguage {
    readonly language: Language;
    readonly compile: readonly string[] | null;
    readonly run: readonly string[];
    readonly compiler: Tool | null;
    readonly runner: Tool | null;
    readonly roots: readonly string[];
}

/** The compiler's version and command: programs that did not compile run again when it changes. null: nothing is compiled. */
export function describeCompiler({ compile, compiler }: UsableLanguage): string | null {
    return compile === null ? null : [compiler?.version ?? '', ...compile].join(' ');
}

/** @returns a string if it cannot run, with the reason: `kotlinc not found` */
export async function findUsableLanguage(
    language: Language,
    toolchains: Toolchains,
): Promise<UsableLanguage | string> {
    const compile = language.compile.length === 0 ? null : await firstUsable(language.compile, toolchains);
    if (typeof compile === 'string') return compile;
    const run = await firstUsable(language.run, toolchains);
    if (typeof run === 'string') return run;
    if (language.tag === 'TYPESCRIPT' && !canStripTypes(run.tool)) {
        return `${run.tool?.path} (${run.tool?.version}) cannot run TypeScript: 22.6 or later can`;
    }
    const needs = (language.needs ?? []).filter((path) => existsSync(path));
    const roots = [compile?.tool?.root ?? null, run.tool?.root ?? null, ...needs].filter(
        (root) => root !== null,
    );
    return {
        language,
        compile: compile?.command ?? null,
        run: run.command,
        compiler: compile?.tool ?? null,
        runner: run.tool,
        roots: [...new Set(roots)],
    };
}

function canStripTypes(node: Tool | null): boolean {
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(node?.version ?? '') ?? [];
    return Number(major) > 22 || (Number(major) === 22 && Number(minor) >= 6);
}

interface FoundCommand {
    readonly command: readonly string[];
    readonly tool: Tool | null;
}

async function firstUsable(
    commands: readonly (readonly string[])[],
    toolchains: Toolchains,
): Promise<FoundCommand | string> {
    const missing: string[] = [];
    for (const [name = '', ...args] of commands) {
        // The command is the compiled program itself.
        if (name.includes('{')) return { command: [name, ...args], tool: null };
        const { tool, passedOver } = await toolchains.find(name);
        if (tool !== null) return { command: [tool.path, ...args], tool };
        missing.push(passedOver.length === 0 ? `${name} not found` : `${name} not usable (${passedOver[0]})`);
    }
    return missing[0] ?? 'the language table has no command for it';
}
