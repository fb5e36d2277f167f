import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTextContent } from '../../model/fingerprint.js';
import type { Box } from '../sandbox/box.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunLimits } from '../sandbox/wire.js';
import { fillIn, listVariants } from './command.js';
import { COMPILE_LIMITS, COMPILE_SCRATCH_BYTES } from './limits.js';
import { importProbe, isProbedMissing } from './import-probe-source.js';
import type { MissingImport } from './missing-import.js';
import { layOut } from './submission.js';
import type { UsableLanguage } from './toolchains.js';

const PROBE_LIMITS: RunLimits = { ...COMPILE_LIMITS, cpu: 20, wall: 90 };

/** Looks for modules and headers with the same toolchain and sandbox that programs use, once for each. */
export class ImportProbe {
    readonly #known = new Map<string, Promise<boolean>>();

    constructor(
        private readonly sandbox: Sandbox,
        private readonly scratch: string,
        private readonly limits: RunLimits = PROBE_LIMITS,
    ) {}

    /** Whether it cannot be found here. @throws SandboxError if the sandbox failed */
    isMissing(usable: UsableLanguage, wanted: MissingImport): Promise<boolean> {
        const key = `${usable.language.tag} ${usable.runner?.path ?? usable.compiler?.path} ${wanted.name}`;
        let known = this.#known.get(key);
        if (known === undefined) {
            known = this.#probe(usable, wanted);
            this.#known.set(key, known);
            known.catch(() => this.#known.delete(key));
            // Names come from submissions, so their number must be bounded.
            if (this.#known.size > MAX_KNOWN) this.#known.delete([...this.#known.keys()][0] ?? '');
        }
        return known;
    }

    async #probe(usable: UsableLanguage, wanted: MissingImport): Promise<boolean> {
        const folder = join(this.scratch, `probe-${randomBytes(8).toString('hex')}`);
        const { language } = usable;
        const content = makeTextContent(importProbe(wanted, language.tag));
        const { files, main, mainClass } = await layOut(
            { files: [{ name: language.source, content }] },
            language,
            folder,
        );
        const box = await this.sandbox.open({
            files,
            roots: usable.roots,
            scratchBytes: COMPILE_SCRATCH_BYTES,
        });
        try {
            const report = await box.run({
                argv: probeCommand(usable, box, main, mainClass),
                stdin: null,
                limits: this.limits,
            });
            const isCompiled = usable.compile !== null;
            const hasFailed = report.exitCode !== null && report.exitCode !== 0 && report.limit === null;
            return isProbedMissing(wanted, language.tag, {
                complaint: isCompiled && hasFailed ? report.stderr.toString() : null,
                exitCode: isCompiled ? null : report.exitCode,
            });
        } finally {
            void box.close();
            await rm(folder, { recursive: true, force: true });
        }
    }
}

const MAX_KNOWN = 1000;

function probeCommand(
    { compile, run, language }: UsableLanguage,
    box: Box,
    main: string,
    mainClass: string,
): [string, ...string[]] {
    const source = `${box.source}/${main}`;
    const common = { source, dir: box.source, class: mainClass, memory_mb: '256', stack_mb: '64' };
    if (compile === null) return fillIn(run, common);
    const folder = `${box.work}/out`;
    const [command] = listVariants(compile);
    const filled = fillIn(command, {
        ...common,
        sources: [source],
        includes: [],
        out: language.makes === 'folder' ? folder : `${folder}/main`,
    });
    return ['/bin/sh', '-c', 'mkdir "$0" && exec "$@"', folder, ...filled];
}
