/*
 * Messages to and from the helper; their format is described in native/wire.h, the other side.
 */

/** How the helper starts a box: by itself, or inside bubblewrap. */
export const BOX_KIND = { plain: 0, bwrap: 1 } as const;

const OP = { open: 1, run: 2, collect: 3, close: 4 } as const;
const REPLY = { opened: 1, result: 2, collected: 3, gone: 4, died: 5 } as const;
const STDIN = { none: 0, path: 1, data: 2, peer: 3 } as const;
/** When a peer sees the end of a program's output. */
const TALK = { none: 0, 'to its end': 1, 'until closed': 2 } as const;

/** Files of a box for output that does not fit in a message, used in turn. */
export const SPILL_FILES = 16;

/** In a request: stderr is not written to a file. */
const NO_SLOT = 255;

/** The limit that ended a program; null if it ended by itself. */
export type LimitHit = 'cpu' | 'wall' | 'memory' | 'output' | 'files' | null;
const LIMIT_HITS: readonly LimitHit[] = [null, 'cpu', 'wall', 'memory', 'output', 'files'];

/** A read-only copy of a file, as the programs of a box see it: `name` below the box's source folder. */
export interface PlacedFile {
    readonly host: string;
    readonly name: string;
    readonly mode: number;
}

export interface OpenMessage {
    readonly box: number;
    readonly kind: keyof typeof BOX_KIND;
    /** User that runs the programs; 0: our own user. */
    readonly uid: number;
    /**
     * Give programs a sealed copy of their stdin: the file's name, inode and times would reveal which test it is, and programs
     * that run as our user could lock or overwrite it.
     */
    readonly guardStdin: boolean;
    /** For plain boxes: a folder that the helper creates, with `src` and `box` in it, and removes; empty for none. */
    readonly dir: string;
    /** Path prefix of the files for output that does not fit in a message: `<spill>.0` and so on. */
    readonly spill: string;
    readonly launch: readonly string[];
    readonly files: readonly PlacedFile[];
    readonly cwd: string;
    readonly env: readonly string[];
    /** Folders that are emptied after each run. */
    readonly clean: readonly string[];
    /**
     * Everything that programs may read beside `clean`; empty: whatever their user may read. Enforced as far as the kernel
     * supports it.
     */
    readonly readable: readonly string[];
    /** Compilers run in the box, which must be able to change the modes of their output files. */
    readonly compiles: boolean;
}

/** Seconds and bytes; 0 means no limit. */
export interface RunLimits {
    /** CPU time of all its processes together. */
    readonly cpu: number;
    readonly wall: number;
    /** Resident memory of all its processes together. */
    readonly memory: number;
    /** RLIMIT_AS of each process. */
    readonly addressSpace: number;
    /** Of stdout and of stderr. */
    readonly output: number;
    readonly stack: number;
    readonly fileSize: number;
    readonly processes: number;
    readonly openFiles: number;
}

/** Where a program finds the files given to a run. */
export const GIVEN_PATHS = ['/proc/self/fd/3', '/proc/self/fd/4', '/proc/self/fd/5'] as const;

export type Stdin =
    | { readonly path: string; readonly data?: undefined }
    | { readonly data: Uint8Array; readonly path?: undefined }
    /** Read the output of another box's program, which reads the output of this one. Both must be started in this way. */
    | {
          readonly peer: number;
          /**
           * When the other program sees the end of its input: when this program has ended, or as soon as it closes its stdout.
           */
          readonly until: Exclude<keyof typeof TALK, 'none'>;
          readonly path?: undefined;
          readonly data?: undefined;
      }
    | null;

export interface RunMessage {
    readonly box: number;
    readonly id: number;
    /** The spill file for stdout: 0 to SPILL_FILES - 1. */
    readonly slot: number;
    /** The spill file for stderr; null: none, only its first bytes are returned. */
    readonly errSlot: number | null;
    /** Leave the scratch folders as they are (a compiler's output is collected next). */
    readonly keep: boolean;
    readonly stdin: Stdin;
    /** Files of which the program gets copies, at `GIVEN_PATHS`. */
    readonly given: readonly string[];
    readonly limits: RunLimits;
    /** Most bytes of stdout that are returned in the reply. */
    readonly inlineMax: number;
    /**
     * Most bytes of each stream that its file takes, while further bytes are only counted; 0: as many as `limits.output` allows.
     */
    readonly fileMax: number;
    readonly argv: readonly string[];
}

export type Reply =
    /** `cgroup`: the version of control groups that enforces its memory limit; 0: none. */
    | { readonly kind: 'opened'; readonly box: number; readonly cgroup: number }
    | { readonly kind: 'result'; readonly box: number; readonly id: number; readonly report: RawReport }
    | { readonly kind: 'collected'; readonly box: number; readonly id: number; readonly error: string | null }
    /** The box was closed and nothing of it is left. */
    | { readonly kind: 'gone'; readonly box: number }
    /** The box ended by itself: it could not be started, or something killed it. */
    | { readonly kind: 'died'; readonly box: number; readonly message: string };

type Spilled = 'no' | 'yes' | 'failed';

/** The helper's report on one run. Units are seconds and bytes. */
export interface RawReport {
    /** 0, or the error that prevented the program from starting. */
    readonly startErrno: number;
    readonly exitCode: number | null;
    readonly signal: number | null;
    readonly cpu: number;
    readonly wall: number;
    readonly memory: number;
    readonly limit: LimitHit;
    readonly stdoutBytes: number;
    readonly stderrBytes: number;
    /** All of stdout is in its spill file, up to `fileMax`; `failed`: it did not fit on the disk. */
    readonly spilled: Spilled;
    /** The same for stderr. */
    readonly errSpilled: Spilled;
    readonly stdout: Buffer;
    readonly stderr: Buffer;
    /** When the program ended, on the clock of `pieces`. */
    readonly ended: number;
    /** For a program with a peer: the first pieces of its output. */
    readonly pieces: readonly OutputPiece[];
}

export interface OutputPiece {
    /** Seconds on a clock that all boxes share. */
    readonly at: number;
    readonly bytes: number;
}

class Writer {
    private buffer = Buffer.allocUnsafe(1024);
    private length = 4;

    /** Reserves space and returns its position; may replace `buffer`. */
    private room(bytes: number): number {
        const at = this.length;
        if (at + bytes > this.buffer.length) {
            const larger = Buffer.allocUnsafe((at + bytes) * 2);
            this.buffer.copy(larger, 0, 0, at);
            this.buffer = larger;
        }
        this.length = at + bytes;
        return at;
    }

    u8(value: number): this {
        const at = this.room(1);
        this.buffer.writeUInt8(value, at);
        return this;
    }

    u32(value: number): this {
        const at = this.room(4);
        this.buffer.writeUInt32LE(value, at);
        return this;
    }

    u64(value: number): this {
        const at = this.room(8);
        this.buffer.writeBigUInt64LE(BigInt(Math.max(0, Math.round(value))), at);
        return this;
    }

    text(value: string | Uint8Array): this {
        const bytes = typeof value === 'string' ? Buffer.from(value) : value;
        this.u32(bytes.length);
        const at = this.room(bytes.length + 1);
        this.buffer.set(bytes, at);
        this.buffer[this.length - 1] = 0;
        return this;
    }

    list(values: readonly string[]): this {
        this.u32(values.length);
        for (const value of values) this.text(value);
        return this;
    }

    /** The message, prefixed by its length. */
    frame(): Buffer {
        this.buffer.writeUInt32LE(this.length - 4, 0);
        return this.buffer.subarray(0, this.length);
    }
}

export function encodeOpen(m: OpenMessage): Buffer {
    const w = new Writer().u8(OP.open).u32(m.box).u8(BOX_KIND[m.kind]).u32(m.uid);
    w.u8(m.guardStdin ? 1 : 0)
        .text(m.dir)
        .text(m.spill)
        .list(m.launch)
        .u32(m.files.length);
    for (const file of m.files) w.text(file.host).text(file.name).u32(file.mode);
    w.text(m.cwd).list(m.env).list(m.clean).list(m.readable);
    return w.u8(m.compiles ? 1 : 0).frame();
}

const nanoseconds = (seconds: number): number => seconds * 1e9;

export function encodeRun(m: RunMessage): Buffer {
    const { limits } = m;
    const w = new Writer().u8(OP.run).u32(m.box).u32(m.id);
    if (m.stdin === null) w.u8(STDIN.none).text('');
    else if (m.stdin.path !== undefined) w.u8(STDIN.path).text(m.stdin.path);
    else if (m.stdin.data !== undefined) w.u8(STDIN.data).text(m.stdin.data);
    else w.u8(STDIN.peer).text(String(m.stdin.peer));
    const talk = m.stdin !== null && 'peer' in m.stdin ? TALK[m.stdin.until] : TALK.none;
    return w
        .list(m.given)
        .u8(m.slot)
        .u8(m.errSlot ?? NO_SLOT)
        .u8(m.keep ? 1 : 0)
        .u64(nanoseconds(limits.cpu))
        .u64(nanoseconds(limits.wall))
        .u64(limits.memory)
        .u64(limits.addressSpace)
        .u64(limits.output)
        .u64(m.fileMax)
        .u64(limits.stack)
        .u64(limits.fileSize)
        .u32(limits.processes)
        .u32(limits.openFiles)
        .u32(m.inlineMax)
        .u8(talk)
        .list(m.argv)
        .frame();
}

/** @param to path of a file that does not exist yet */
export function encodeCollect(box: number, id: number, to: string, folder: string, maxBytes: number): Buffer {
    return new Writer().u8(OP.collect).u32(box).u32(id).text(to).text(folder).u64(maxBytes).frame();
}

export function encodeClose(box: number): Buffer {
    return new Writer().u8(OP.close).u32(box).frame();
}

class Reader {
    private at = 0;

    constructor(private readonly buffer: Buffer) {}

    u8(): number {
        return this.buffer.readUInt8(this.advance(1));
    }

    u32(): number {
        return this.buffer.readUInt32LE(this.advance(4));
    }

    u64(): number {
        return Number(this.buffer.readBigUInt64LE(this.advance(8)));
    }

    /** Shares memory with the message. */
    bytes(): Buffer {
        const length = this.u32();
        const at = this.advance(length + 1);
        return this.buffer.subarray(at, at + length);
    }

    raw(length: number): Buffer {
        const at = this.advance(length);
        return this.buffer.subarray(at, at + length);
    }

    text(): string {
        return this.bytes().toString();
    }

    get done(): boolean {
        return this.at >= this.buffer.length;
    }

    private advance(bytes: number): number {
        const at = this.at;
        this.at += bytes;
        return at;
    }
}

/** @throws RangeError if the message is not of this protocol */
export function decodeReply(message: Buffer): Reply {
    const r = new Reader(message);
    const box = r.u32();
    const kind = r.u8();
    switch (kind) {
        case REPLY.opened:
            return { kind: 'opened', box, cgroup: r.done ? 0 : r.u8() };
        case REPLY.result:
            return { kind: 'result', box, id: r.u32(), report: decodeReport(r) };
        case REPLY.collected: {
            const id = r.u32();
            const ok = r.u8() === 1;
            const message = r.text();
            return { kind: 'collected', box, id, error: ok ? null : message };
        }
        case REPLY.gone:
            return { kind: 'gone', box };
        case REPLY.died:
            return { kind: 'died', box, message: r.text() };
        default:
            throw new RangeError(`unknown reply ${kind} from the helper`);
    }
}

const SPILLED: readonly Spilled[] = ['no', 'yes', 'failed'];

function decodeReport(r: Reader): RawReport {
    const startErrno = r.u32();
    const bySignal = r.u8() === 1;
    const value = r.u32();
    return {
        startErrno,
        exitCode: bySignal ? null : value,
        signal: bySignal ? value : null,
        cpu: r.u64() / 1e9,
        wall: r.u64() / 1e9,
        memory: r.u64(),
        limit: LIMIT_HITS[r.u8()] ?? null,
        stdoutBytes: r.u64(),
        stderrBytes: r.u64(),
        spilled: SPILLED[r.u8()] ?? 'no',
        errSpilled: SPILLED[r.u8()] ?? 'no',
        stdout: r.bytes(),
        stderr: r.bytes(),
        ended: r.u64() / 1e9,
        pieces: decodePieces(r.bytes()),
    };
}

function decodePieces(marks: Buffer): OutputPiece[] {
    const r = new Reader(marks);
    const pieces: OutputPiece[] = [];
    while (!r.done) pieces.push({ at: r.u64() / 1e9, bytes: r.u32() });
    return pieces;
}

/** A file from a collected bundle. */
export interface PackedFile {
    readonly name: string;
    readonly mode: number;
    readonly content: Buffer;
}

/** Files of a bundle written by `collect`; names are relative, without `..`. */
export function* unpack(bundle: Buffer): Generator<PackedFile> {
    const r = new Reader(bundle);
    while (!r.done) {
        const name = r.text();
        const mode = r.u32();
        yield { name, mode, content: r.raw(r.u64()) };
    }
}
