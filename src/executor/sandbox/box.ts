import { join } from 'node:path';
import type { SandboxKind } from '../descriptor.js';
import { RUNTIME_ENVIRONMENT } from '../runtime-environment.js';
import { buildBwrapArguments, INSIDE, listReadablePaths } from './bwrap.js';
import type { Helper, ReplyHandler } from './helper.js';
import { SandboxError } from './sandbox-error.js';
import {
    encodeClose,
    encodeCollect,
    encodeOpen,
    encodeRun,
    type OpenMessage,
    type PlacedFile,
    type RawReport,
    type Reply,
    type RunLimits,
    SPILL_FILES,
    type Stdin,
} from './wire.js';

/** Up to this many bytes of stdout are returned in memory. */
const INLINE_MAX = 64 * 1024;

/** The same for a run with `keepBytes`, and for its stderr too. */
export const KEPT_INLINE = 16 * 1024;

export interface BoxOptions {
    readonly sandbox: SandboxKind;
    /** Path of bwrap; present only for that sandbox. */
    readonly bwrap: string | null;
    /** Private folder for data that does not fit in a message. */
    readonly scratch: string;
    /** Path of the folder that the helper creates for the box, unless bwrap creates one. */
    readonly dir: string;
    /** The submission's files, copied read-only into the box's source folder. */
    readonly files: readonly PlacedFile[];
    /** Folders of toolchains outside /usr. */
    readonly roots: readonly string[];
    /** Size in bytes of each folder that programs can write to; only bwrap can enforce it. */
    readonly scratchBytes: number;
    /** Compilers run in the box, which set file modes on their output. */
    readonly compiles?: boolean;
    /** Called before its first run ends, with the version of control groups that enforces its memory limit; 0: none. */
    readonly onOpened?: (cgroup: number) => void;
}

/** Options of a box that only starts commands: it has no folders of its own, and the given environment and working directory. */
export interface BareBoxOptions {
    readonly scratch: string;
    readonly cwd: string;
    readonly env: readonly string[];
}

export interface BoxRunOptions {
    readonly argv: readonly [string, ...string[]];
    readonly stdin: Stdin;
    readonly limits: RunLimits;
    /** Files (at most three) of which it gets read-only copies, at `GIVEN_PATHS`. */
    readonly given?: readonly string[];
    /**
     * Bytes of stdout and of stderr to keep in files, if there are more than `KEPT_INLINE`; the command may go on printing more.
     * Only for runs that are requested one at a time, since each reuses the files of the previous one.
     */
    readonly keepBytes?: number;
    /** Leave the work folder as it is, because `collect` follows. */
    readonly keep?: boolean;
}

/** The result of one run. Units are seconds and bytes. */
export interface RunReport extends Omit<RawReport, 'stdout' | 'spilled' | 'errSpilled'> {
    /** In memory, or in a file that the `SPILL_FILES`th run after this one overwrites. */
    readonly stdout: Buffer | { readonly path: string };
    /** File with all of stderr, if `keepBytes` was given and `stderr` holds only the beginning; null: there is none. */
    readonly stderrFile: string | null;
}

interface Waiting {
    readonly slot: number;
    readonly errSlot: number | null;
    readonly resolve: (report: RunReport) => void;
    readonly reject: (error: SandboxError) => void;
}

/**
 * One sandbox, which serves all runs of a submission one after another. Up to `SPILL_FILES` runs may be requested at once: each
 * starts as soon as the previous one has ended.
 */
export class Box implements ReplyHandler {
    /** Paths as programs see them. */
    readonly source: string;
    readonly work: string;
    readonly #runs = new Map<number, Waiting>();
    readonly #collects = new Map<number, { resolve: () => void; reject: (error: SandboxError) => void }>();
    readonly #gone: Promise<void>;
    #isGone: () => void = () => {};
    #serial = 0;
    #dead: SandboxError | null = null;
    #onOpened: (cgroup: number) => void = () => {};

    private constructor(
        private readonly helper: Helper,
        /** Other boxes use it to name this box as their program's peer. */
        readonly id: number,
        private readonly spill: string,
        paths: { readonly source: string; readonly work: string },
    ) {
        this.source = paths.source;
        this.work = paths.work;
        this.#gone = new Promise((resolve) => {
            this.#isGone = resolve;
        });
    }

    /** Returns at once; if the box cannot be opened, its first run rejects. */
    static open(helper: Helper, id: number, options: BoxOptions): Box {
        const place = helper.placeFor(id);
        const spill = spillFiles(options.scratch, helper, place);
        const bwrap = options.sandbox === 'bwrap';
        const { dir } = options;
        const paths = bwrap ? INSIDE : { source: join(dir, 'src'), work: join(dir, 'box') };
        const box = new Box(helper, id, spill, paths);
        if (options.onOpened !== undefined) box.#onOpened = options.onOpened;
        const uid = options.sandbox === 'none' ? 0 : helper.getUser(place);
        const compiles = options.compiles ?? false;
        const common = {
            box: id,
            uid,
            spill,
            cwd: paths.work,
            env: environment(paths.work, bwrap),
            compiles,
        };
        if (!bwrap) {
            const clean = [paths.work];
            const readable =
                options.sandbox === 'rlimit' ? [...listReadablePaths(options.roots), paths.source] : [];
            box.#open({
                ...common,
                kind: 'plain',
                guardStdin: true,
                dir,
                launch: [],
                files: options.files,
                clean,
                readable,
            });
            return box;
        }
        const launch = buildBwrapArguments({
            bwrap: options.bwrap ?? '/usr/bin/bwrap',
            roots: options.roots,
            scratchBytes: options.scratchBytes,
        });
        box.#open({
            ...common,
            kind: 'bwrap',
            guardStdin: true,
            dir: '',
            launch: [...launch, ...helper.program.interpreter],
            files: options.files.map((file) => ({ ...file, name: `${INSIDE.source}/${file.name}` })),
            clean: INSIDE.folders,
            readable: [],
        });
        return box;
    }

    static openBare(helper: Helper, id: number, options: BareBoxOptions): Box {
        const spill = spillFiles(options.scratch, helper, helper.placeFor(id));
        const box = new Box(helper, id, spill, { source: options.cwd, work: options.cwd });
        const { cwd, env } = options;
        box.#open({
            box: id,
            kind: 'plain',
            uid: 0,
            guardStdin: false,
            dir: '',
            spill,
            launch: [],
            files: [],
            cwd,
            env,
            clean: [],
            readable: [],
            compiles: false,
        });
        return box;
    }

    #open(message: OpenMessage): void {
        this.helper.send(this.id, encodeOpen(message), this);
    }

    get alive(): boolean {
        return this.#dead === null;
    }

    /** @throws SandboxError if the box or the helper failed; never because of the program */
    run(options: BoxRunOptions): Promise<RunReport> {
        if (this.#dead !== null) return Promise.reject(this.#dead);
        const id = ++this.#serial;
        const keeps = options.keepBytes !== undefined;
        const slot = keeps ? 0 : id % SPILL_FILES;
        const errSlot = keeps ? 1 : null;
        const message = encodeRun({
            box: this.id,
            id,
            slot,
            errSlot,
            keep: options.keep ?? false,
            stdin: options.stdin,
            given: options.given ?? [],
            limits: options.limits,
            inlineMax: keeps ? KEPT_INLINE : INLINE_MAX,
            fileMax: options.keepBytes ?? 0,
            argv: options.argv,
        });
        return new Promise((resolve, reject) => {
            this.#runs.set(id, { slot, errSlot, resolve, reject });
            this.helper.send(this.id, message, this);
        });
    }

    /**
     * Packs the files below the box's `folder` into a new file `to`, which `unpack` reads.
     * @throws SandboxError if they are larger than `maxBytes` or unreadable
     */
    collect(folder: string, to: string, maxBytes: number): Promise<void> {
        if (this.#dead !== null) return Promise.reject(this.#dead);
        const id = ++this.#serial;
        return new Promise((resolve, reject) => {
            this.#collects.set(id, { resolve, reject });
            this.helper.send(this.id, encodeCollect(this.id, id, to, folder, maxBytes), this);
        });
    }

    /** Kills everything that runs in it; resolves when nothing of the box is left. */
    close(): Promise<void> {
        if (this.#dead === null) {
            this.#fail(new SandboxError('the box was closed'));
            this.helper.send(this.id, encodeClose(this.id), this);
        }
        return this.#gone;
    }

    reply(reply: Reply): void {
        switch (reply.kind) {
            case 'opened':
                return this.#onOpened(reply.cgroup);
            case 'result':
                return this.#result(reply.id, reply.report);
            case 'collected': {
                const waiting = this.#collects.get(reply.id);
                this.#collects.delete(reply.id);
                if (reply.error === null) waiting?.resolve();
                else waiting?.reject(new SandboxError(reply.error));
                return;
            }
            case 'gone':
                return this.#forget();
            case 'died':
                this.#fail(new SandboxError(`the sandbox failed: ${reply.message}`));
                return this.#forget();
        }
    }

    lost(error: SandboxError): void {
        this.#fail(error);
        this.#isGone();
    }

    #result(id: number, raw: RawReport): void {
        const waiting = this.#runs.get(id);
        if (waiting === undefined) return;
        this.#runs.delete(id);
        if (raw.spilled === 'failed' || raw.errSpilled === 'failed') {
            waiting.reject(new SandboxError(`the program's output could not be written to ${this.spill}`));
            return;
        }
        const stdout = raw.spilled === 'yes' ? { path: `${this.spill}.${waiting.slot}` } : raw.stdout;
        const stderrFile = raw.errSpilled === 'yes' ? `${this.spill}.${waiting.errSlot}` : null;
        waiting.resolve({ ...raw, stdout, stderrFile });
    }

    #forget(): void {
        this.helper.forget(this.id);
        this.#isGone();
    }

    #fail(error: SandboxError): void {
        this.#dead ??= error;
        for (const waiting of this.#runs.values()) waiting.reject(error);
        for (const waiting of this.#collects.values()) waiting.reject(error);
        this.#runs.clear();
        this.#collects.clear();
    }
}

/** Common path prefix of a place's spill files, which successive boxes reuse. */
function spillFiles(scratch: string, helper: Helper, place: number): string {
    return join(scratch, `out-${helper.pid}-${place}`);
}

/** Everything that a program can learn about where it runs. */
function environment(work: string, bwrap: boolean): string[] {
    return [
        'PATH=/usr/local/bin:/usr/bin:/bin',
        ...RUNTIME_ENVIRONMENT,
        `HOME=${work}`,
        // Its user number is in no user database.
        'USER=contestant',
        'LOGNAME=contestant',
        `TMPDIR=${bwrap ? '/tmp' : work}`,
    ];
}
