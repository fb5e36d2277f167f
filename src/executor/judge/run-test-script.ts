import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type TarInput, writeTar } from '../../host/write-tar.js';
import type { MadeFile, ScriptRecipe } from '../../model/test-recipe.js';
import type { LocalOptions } from '../descriptor.js';
import type { Box } from '../sandbox/box.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import type { LimitHit, RunLimits } from '../sandbox/wire.js';
import { readBundle } from './bundle-file.js';
import { guardFolder } from './folder-guard.js';
import { judgeError, readExitCode } from './judge-programs.js';
import { COMPILE_LIMITS, COMPILE_SCRATCH_BYTES } from './limits.js';
import { findScriptTools, type ScriptTools } from './script-tools.js';

const MIB = 1024 * 1024;
const INDEX = 'index.json';
/** Most test files that a script may leave; more indicate a mistake or an attack on the disk. */
const MAX_MADE_FILES = 20_000;
/** A script compiles programs and runs them for each test. */
const SCRIPT_LIMITS: RunLimits = {
    ...COMPILE_LIMITS,
    cpu: 600,
    wall: 900,
    output: 16 * MIB,
    processes: 256,
    fileSize: 256 * MIB,
};

/**
 * Runs a script that generates the tests of a package, on a copy of the package, and stores in `folder` what the script leaves in
 * `data`.
 * @throws CheckerError describing what is wrong with the script, SandboxError
 */
export async function runTestScript(
    recipe: ScriptRecipe,
    folder: string,
    sandbox: Sandbox,
    options: LocalOptions,
): Promise<void> {
    const scratch = join(folder, 'scratch');
    await mkdir(scratch, { mode: 0o700 });
    const tools = await findScriptTools(options.sandbox);
    if (typeof tools === 'string') throw judgeError(tools);
    const tar = join(scratch, 'tree.tar');
    const place = await packTree(recipe, tools, scratch, tar);
    const box = await sandbox.open({
        files: [],
        roots: tools.roots,
        scratchBytes: COMPILE_SCRATCH_BYTES,
        compiles: true,
    });
    const guard =
        sandbox.kind === 'bwrap' ? null : guardFolder(box.work, MAX_MADE_FILES, COMPILE_SCRATCH_BYTES);
    try {
        guard?.onExceeded(() => void box.close());
        const run = new ScriptRun(recipe, box, `${box.work}/${TREE}/${place}`, tools);
        await run.unpack(tar);
        await run.run();
        await run.keep(join(scratch, 'data.bundle'), folder);
    } catch (error) {
        if (error instanceof SandboxError && guard?.isExceeded === true)
            throw judgeError(
                `it generates more than ${MAX_MADE_FILES} files or ${COMPILE_SCRATCH_BYTES / MIB} MiB`,
            );
        throw error;
    } finally {
        guard?.stop();
        await box.close();
        await rm(scratch, { recursive: true, force: true });
    }
}

/** Folder of the box into which everything is unpacked. */
const TREE = 'tree';
/** Replaces the folders above a package, whose names must not be revealed. */
const ABOVE = 'above/';
const SHIMS = '.shims';

/** Packs the package, the files it shares with others, and the shims. @returns the package's folder in the tar */
async function packTree(
    { folder, files }: ScriptRecipe,
    { shims }: ScriptTools,
    scratch: string,
    tar: string,
): Promise<string> {
    const levels = Math.max(
        0,
        ...files.map(({ name }) => name.split('/').filter((part) => part === '..').length),
    );
    const place = `${ABOVE.repeat(levels)}${folder}`;
    const entries: TarInput[] = [];
    const add = async (name: string, path: string, isExecutable: boolean): Promise<void> => {
        const { size } = await stat(path);
        entries.push({ name, path, size, modified: 0, mode: isExecutable ? 0o755 : 0o644 });
    };
    for (const { name, content, isExecutable } of files)
        await add(posix.join(place, name), content.path, isExecutable);
    for (const [name, text] of shims) {
        const path = join(scratch, `shim-${name}`);
        await writeFile(path, text);
        await add(`${SHIMS}/${name}`, path, true);
    }
    await writeTar(tar, entries);
    return place;
}

class ScriptRun {
    constructor(
        private readonly recipe: ScriptRecipe,
        private readonly box: Box,
        /** The package, as the script sees it. */
        private readonly root: string,
        private readonly tools: ScriptTools,
    ) {}

    async unpack(tar: string): Promise<void> {
        const command = `mkdir ${TREE} && exec tar -x -f - -C ${TREE}`;
        const { stderr, ...report } = await this.box.run({
            argv: ['/bin/sh', '-c', command],
            stdin: { path: tar },
            limits: SCRIPT_LIMITS,
            keep: true,
        });
        if (readExitCode({ ...report, stderr }, stderr.toString(), 'the copy of the package') !== 0)
            throw new SandboxError(`the package could not be unpacked: ${stderr.toString().slice(0, 200)}`);
    }

    async run(): Promise<void> {
        // The end of stderr tells why it failed, but a box returns only the beginning.
        const log = `${this.box.work}/stderr`;
        const command = 'cd "$1" && "$0" "./$2" 2>"$3"; code=$?; tail -c 8192 "$3" >&2; exit $code';
        const report = await this.box.run({
            argv: [
                '/usr/bin/env',
                `PATH=${this.box.work}/${TREE}/${SHIMS}:/usr/local/bin:/usr/bin:/bin`,
                // The leak detector traces its own process, which the sandbox does not allow.
                'ASAN_OPTIONS=detect_leaks=0',
                '/bin/sh',
                '-c',
                command,
                this.tools.bash,
                `${this.root}/data`,
                posix.basename(this.recipe.script),
                log,
            ],
            stdin: null,
            limits: SCRIPT_LIMITS,
            keep: true,
        });
        const said = report.stderr.toString();
        const slow = explainSlowness(report.limit, this.tools.standIns);
        if (slow !== null) throw judgeError(slow);
        const code = readExitCode(report, lastLines(said), 'it');
        if (code !== 0) throw judgeError(explainFailure(code, said));
    }

    /** Copies the test files into `folder`, each once, however many names it has. */
    async keep(bundle: string, folder: string): Promise<void> {
        const links = await this.#listLinks();
        await this.box.collect(`${this.root}/data`, bundle, COMPILE_SCRATCH_BYTES).catch((error: unknown) => {
            // If the box is still alive, the script is at fault.
            if (!(error instanceof SandboxError) || !this.box.alive) throw error;
            throw judgeError('it leaves files that cannot be read');
        });
        const stored = new Map<string, string>();
        let seen = 0;
        for await (const { name, copyTo } of readBundle(bundle)) {
            if (++seen > MAX_MADE_FILES) throw judgeError(`it generates more than ${MAX_MADE_FILES} files`);
            if (!OF_TESTS.test(name)) continue;
            const own = String(stored.size);
            await copyTo(join(folder, own));
            stored.set(name, own);
        }
        for (const name of links.keys()) {
            if (!OF_TESTS.test(name)) continue;
            const target = stored.get(followLinks(name, links));
            if (target === undefined)
                throw judgeError(`data/${name} is a link to something other than one of its test files`);
            stored.set(name, target);
        }
        if (![...stored.keys()].some((name) => /^secret\/.*\.in$/.test(name)))
            throw judgeError('it generates no secret tests');
        const made = [...stored].map(([name, file]) => [`data/${name}`, file]);
        await writeFile(join(folder, INDEX), JSON.stringify(made), { mode: 0o600 });
    }

    /** Links in `data` and their targets, both relative to that folder. A box returns only regular files. */
    async #listLinks(): Promise<ReadonlyMap<string, string>> {
        const report = await this.box.run({
            argv: ['/usr/bin/env', 'find', `${this.root}/data`, '-type', 'l', '-printf', '%P\\0%l\\0'],
            stdin: null,
            limits: SCRIPT_LIMITS,
            keep: true,
        });
        const code = readExitCode(report, lastLines(report.stderr.toString()), 'the search for its links');
        if (code !== 0) throw judgeError(`its links cannot be read: ${lastLines(report.stderr.toString())}`);
        const { stdout } = report;
        const text = (Buffer.isBuffer(stdout) ? stdout : await readFile(stdout.path)).toString();
        const parts = text.split('\0');
        const links = new Map<string, string>();
        for (let i = 0; i + 1 < parts.length; i += 2) {
            const [name = '', target = ''] = parts.slice(i, i + 2);
            const own = target.startsWith(`${this.root}/data/`) ? target.slice(this.root.length + 6) : null;
            links.set(name, own ?? posix.join(posix.dirname(name), target));
        }
        return links;
    }
}

/** Files needed for judging, by their names in `data`. */
const OF_TESTS = /^(?:(?:sample|secret)\/.*(?:\.(?:in|ans|yaml)|\.files\/.+)|[^/]+\.yaml)$/;
/** Most links in a chain of links. */
const MAX_LINK_STEPS = 8;

function followLinks(name: string, links: ReadonlyMap<string, string>): string {
    let at = name;
    for (let step = 0; step < MAX_LINK_STEPS; step++) {
        const target = links.get(at);
        if (target === undefined) return at;
        at = target;
    }
    return at;
}

/**
 * The message for a script that ran out of time while a slower program replaced one that it starts; null if that does not apply.
 */
export function explainSlowness(limit: LimitHit, standIns: ReadonlyMap<string, string>): string | null {
    const [first] = standIns;
    if (first === undefined || (limit !== 'cpu' && limit !== 'wall')) return null;
    const [missing, standIn] = first;
    return `it was stopped at its ${limit} limit; install ${missing}; the slower ${standIn} is used in its place`;
}

/** Names the missing command if the output does; otherwise quotes the last lines. */
function explainFailure(code: number, said: string): string {
    const lacking = /(?:^|: )([\w.+-]+): (?:command )?not found$/m.exec(said)?.[1];
    if (lacking !== undefined) return `it needs ${lacking}, which is not installed where it runs`;
    const words = lastLines(said);
    return `it ended with exit code ${code}${words === '' ? '' : `: ${words}`}`;
}

/** The last lines joined into one, without colours. */
function lastLines(text: string): string {
    const lines = stripVTControlCharacters(text)
        .split('\n')
        .map((line) => line.trim());
    const last = lines.filter((line) => line !== '' && !BOILERPLATE.test(line)).slice(-2);
    return last.join('; ').replace(/\s+/g, ' ').slice(-300);
}

const BOILERPLATE = /^There were errors, see above/;

/** Hash of everything that determines the script's output. */
export function digestScript({ script, folder, files }: ScriptRecipe): string {
    const facts = files.map(({ name, content, isExecutable }) => [name, content.digest, isExecutable]);
    return createHash('sha256')
        .update(JSON.stringify(['script', 1, script, folder, facts]))
        .digest('hex')
        .slice(0, 32);
}

/** The files of a finished folder; null if there is none. */
export async function readMadeFiles(folder: string): Promise<readonly MadeFile[] | null> {
    const text = await readFile(join(folder, INDEX), 'utf8').catch(() => null);
    if (text === null) return null;
    const made = JSON.parse(text) as readonly (readonly [string, string])[];
    return made.map(([name, file]) => ({ name, path: join(folder, file) }));
}
