import type { SandboxKind } from '../descriptor.js';
import { Toolchains } from './toolchains.js';

/** What a script that generates tests finds in its box. */
export interface ScriptTools {
    readonly bash: string;
    /** Folders outside /usr that must be visible in the box. */
    readonly roots: readonly string[];
    /** Small scripts on PATH, by name, for tools that are not where a box looks. */
    readonly shims: ReadonlyMap<string, string>;
    /** Missing tools and what is started in their place: `pypy3`, `python3`. */
    readonly standIns: ReadonlyMap<string, string>;
}

/** The tools that gen.sh and its users call; other programs come from /usr. */
const NAMES = ['python3', 'python2', 'pypy3', 'pypy', 'g++', 'javac', 'java'];
/** Replacements for missing tools, which give the same output, if more slowly. */
const SUBSTITUTES: Readonly<Record<string, string>> = { pypy3: 'python3', pypy: 'python2' };
const STANDARD = /^\/(?:usr\/(?:local\/)?)?bin\/[^/]+$/;

/** @returns a string if a required tool is missing, with the reason */
export async function findScriptTools(sandbox: SandboxKind): Promise<ScriptTools | string> {
    const toolchains = new Toolchains(sandbox);
    const { tool: bash } = await toolchains.find('bash');
    if (bash === null) return 'it needs bash, which is not installed';
    const roots = new Set<string>(bash.root === null ? [] : [bash.root]);
    const shims = new Map<string, string>();
    const standIns = new Map<string, string>();
    for (const name of NAMES) {
        const found = (await toolchains.find(name)).tool;
        const standIn = SUBSTITUTES[name];
        const tool = found ?? (standIn === undefined ? null : (await toolchains.find(standIn)).tool);
        if (tool === null) continue;
        if (found === null && standIn !== undefined) standIns.set(name, standIn);
        if (tool.root !== null) roots.add(tool.root);
        if (tool.path !== found?.path || !STANDARD.test(tool.path))
            shims.set(name, `#!/bin/sh\nexec '${tool.path.replaceAll("'", "'\\''")}' "$@"\n`);
    }
    return { bash: bash.path, roots: [...roots], shims, standIns };
}
