import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunLimits } from '../sandbox/wire.js';
import { fillIn, variants } from './command.js';
import { COMPILE_LIMITS, COMPILE_SCRATCH_BYTES } from './limits.js';
import type { MissingImport } from './missing-import.js';
import type { UsableLanguage } from './toolchains.js';

/** Exits with 0 if the module can be found and with 3 if it cannot; any other exit proves nothing. */
const PYTHON_PROBE = `import sys
name = sys.argv[1]
try:
    __import__(name)
except ImportError as error:
    sys.exit(3 if getattr(error, 'name', name) in (None, name) else 0)
except Exception:
    pass
`;
const NODE_PROBE = `try { require.resolve(process.argv[2]); } catch { process.exitCode = 3; }\n`;
const MISSING = 3;

const PROBE_LIMITS: RunLimits = { ...COMPILE_LIMITS, cpu: 20, wall: 90 };

/** Looks for modules and headers with the very toolchain and sandbox that programs get; each once. */
export class ImportProbe {
    readonly #known = new Map<string, Promise<boolean>>();

    constructor(
        private readonly sandbox: Sandbox,
        private readonly scratch: string,
        private readonly limits: RunLimits = PROBE_LIMITS,
    ) {}

    /** Whether it cannot be found here. @throws SandboxError where the sandbox broke */
    isMissing(usable: UsableLanguage, wanted: MissingImport): Promise<boolean> {
        const key = `${usable.language.tag} ${usable.runner?.path ?? usable.compiler?.path} ${wanted.name}`;
        let known = this.#known.get(key);
        if (known === undefined) {
            known = this.#probe(usable, wanted);
            this.#known.set(key, known);
            known.catch(() => this.#known.delete(key));
            // Names come from submissions: not an endless list of them.
            if (this.#known.size > MOST_KNOWN) this.#known.delete([...this.#known.keys()][0] ?? '');
        }
        return known;
    }

    async #probe(usable: UsableLanguage, wanted: MissingImport): Promise<boolean> {
        const folder = join(this.scratch, `probe-${randomBytes(8).toString('hex')}`);
        await mkdir(folder, { mode: 0o700 });
        const { extensions } = usable.language;
        const name = `probe${extensions[0] ?? ''}`;
        const host = join(folder, name);
        await writeFile(host, probeText(usable, wanted));
        const box = await this.sandbox.open({
            files: [{ host, name, mode: 0o444 }],
            roots: usable.roots,
            scratchBytes: COMPILE_SCRATCH_BYTES,
        });
        try {
            const report = await box.run({
                argv: probeCommand(usable, `${box.source}/${name}`, `${box.work}/probe`, wanted),
                stdin: null,
                limits: this.limits,
            });
            if (wanted.what === 'module') return report.exitCode === MISSING;
            return report.exitCode !== null && report.exitCode !== 0 && report.limit === null;
        } finally {
            void box.close();
            await rm(folder, { recursive: true, force: true });
        }
    }
}

const MOST_KNOWN = 1000;

function probeText({ language }: UsableLanguage, { what, name }: MissingImport): string {
    if (what === 'header') return `#include <${name}>\nint main(void) { return 0; }\n`;
    return language.tag === 'JAVASCRIPT' || language.tag === 'TYPESCRIPT' ? NODE_PROBE : PYTHON_PROBE;
}

function probeCommand(
    { compile, run }: UsableLanguage,
    source: string,
    out: string,
    { what, name }: MissingImport,
): [string, ...string[]] {
    if (what === 'module') return [run[0] ?? '', source, name];
    const [command] = variants(compile ?? []);
    return fillIn(command, { source, sources: [source], includes: [], dir: '', out });
}
