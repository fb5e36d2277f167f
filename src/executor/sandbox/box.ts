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
    /** Folder of ours for what does not fit into a message. */
    readonly scratch: string;
    /** Path of a folder that the helper makes for the box, where it is not bwrap that makes one. */
    readonly dir: string;
    /** The submission's files, copied read-only into the box's source folder. */
    readonly files: readonly PlacedFile[];
    /** Folders of toolchains outside /usr. */
    readonly roots: readonly string[];
    /** Size of each folder that programs can write to, bytes; only bwrap can hold it. */
    readonly scratchBytes: number;
    /** Compilers run in it: what they make has modes that they set. */
    readonly compiles?: boolean;
    /** Told the version of control groups that holds its memory, before its first run ends; 0: none. */
    readonly onOpened?: (cgroup: number) => void;
}

/** How a box runs that only starts commands: no folders of its own, the environment and place it is given. */
export interface BareBoxOptions {
    readonly scratch: string;
    readonly cwd: string;
    readonly env: readonly string[];
}

export interface BoxRunOptions {
    readonly argv: readonly [string, ...string[]];
    readonly stdin: Stdin;
    readonly limits: RunLimits;
    /** Files (at most three) that it gets read-only copies of, at `GIVEN_PATHS`. */
    readonly given?: readonly string[];
    /**
     * Keep so many bytes of stdout and of stderr in files, where that is more than `KEPT_INLINE`, and let the command go on
     * when it prints more. For runs that are asked for one at a time: each has the files of the one before.
     */
    readonly keepBytes?: number;
    /** Leave the work folder as it is, because `collect` follows. */
    readonly keep?: boolean;
}

/** What one run came to. Seconds, bytes. */
export interface RunReport extends Omit<RawReport, 'stdout' | 'spilled' | 'errSpilled'> {
    /** In memory, or in a file that the `SPILL_FILES`th run after it overwrites. */
    readonly stdout: Buffer | { readonly path: string };
    /** File of the whole of stderr, where `keepBytes` was given and `stderr` holds only its start; null: there is none. */
    readonly stderrFile: string | null;
}

interface Waiting {
    readonly slot: number;
    readonly errSlot: number | null;
    readonly resolve: (report: RunReport) => void;
    readonly reject: (error: SandboxError) => void;
}

/**
 * One sandbox, serving all runs of a submission one after the other. Up to `SPILL_FILES` may be asked for at once: each
 * starts as soon as the one before it has ended.
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
        /** By which another box names it as its program's peer. */
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

    /** Opens at once; a box that cannot be opened rejects its first run. */
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

    /** @throws SandboxError if the box or the helper broke; never for what the program does */
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
     * Packs the files below `folder` of the box into a new file `to`; `unpack` reads it.
     * @throws SandboxError if they are larger than `maxBytes`, or unreadable
     */
    collect(folder: string, to: string, maxBytes: number): Promise<void> {
        if (this.#dead !== null) return Promise.reject(this.#dead);
        const id = ++this.#serial;
        return new Promise((resolve, reject) => {
            this.#collects.set(id, { resolve, reject });
            this.helper.send(this.id, encodeCollect(this.id, id, to, folder, maxBytes), this);
        });
    }

    /** Kills what runs in it, whatever that is; resolves when nothing of the box is left. */
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
                this.#fail(new SandboxError(`the sandbox broke: ${reply.message}`));
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

/** Start of the names of a place's spill files: one box after the other has them. */
function spillFiles(scratch: string, helper: Helper, place: number): string {
    return join(scratch, `out-${helper.pid}-${place}`);
}

/** All that a program learns of where it runs. */
function environment(work: string, bwrap: boolean): string[] {
    return [
        'PATH=/usr/local/bin:/usr/bin:/bin',
        ...RUNTIME_ENVIRONMENT,
        `HOME=${work}`,
        // Its user number stands in no list of users.
        'USER=contestant',
        'LOGNAME=contestant',
        `TMPDIR=${bwrap ? '/tmp' : work}`,
    ];
}
