import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/*
 * The system maps a truncated library (after a full disk during installation, or an interrupted copy) without checking its
 * length. The first access to a missing page then kills the process with SIGBUS, which cannot be caught. On systems other than
 * Linux the loader checks the length itself.
 */

const LIBRARIES = ['duckdb.node', 'libduckdb.so'];

/**
 * Finds a DuckDB library that is shorter than its header says.
 * @param api path of the package `@duckdb/node-api`
 * @returns null if there is none, or no library at all
 */
export function findCutLibrary(api: string): { readonly path: string; readonly why: string } | null {
    if (process.platform !== 'linux') return null;
    const folder = findBindings(api);
    if (folder === null) return null;
    for (const name of LIBRARIES) {
        const path = join(folder, name);
        const lengths = readLengths(path);
        if (lengths !== null && lengths.bytes < lengths.expected)
            return { path, why: `it has ${lengths.bytes} bytes, expected ${lengths.expected}` };
    }
    return null;
}

function findBindings(api: string): string | null {
    for (const system of [`linux-${process.arch}`, `linux-${process.arch}-musl`]) {
        try {
            const bindings = createRequire(api).resolve('@duckdb/node-bindings');
            return dirname(createRequire(bindings).resolve(`@duckdb/node-bindings-${system}/duckdb.node`));
        } catch {
            // For another system, or missing: loading it reports that.
        }
    }
    return null;
}

/** Offsets in the header of a 64-bit ELF file, and in its segment headers. */
const HEADER = {
    bytes: 64,
    segments: 32,
    sections: 40,
    segmentBytes: 54,
    segmentCount: 56,
    sectionBytes: 58,
    sectionCount: 60,
};
const SEGMENT = { offset: 8, bytes: 32 };
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

/** @returns null if it is not such a file, or cannot be read: loading it reports why */
function readLengths(path: string): { readonly bytes: number; readonly expected: number } | null {
    let file: number;
    try {
        file = openSync(path, 'r');
    } catch {
        return null;
    }
    try {
        const { size } = fstatSync(file);
        const header = readAt(file, 0, HEADER.bytes);
        if (header.length < HEADER.bytes || !header.subarray(0, MAGIC.length).equals(MAGIC)) return null;
        const segments = Number(header.readBigUInt64LE(HEADER.segments));
        const segmentBytes = header.readUInt16LE(HEADER.segmentBytes);
        const segmentCount = header.readUInt16LE(HEADER.segmentCount);
        const sections = Number(header.readBigUInt64LE(HEADER.sections));
        const sectionsEnd =
            sections + header.readUInt16LE(HEADER.sectionBytes) * header.readUInt16LE(HEADER.sectionCount);
        const ends = [sectionsEnd, segments + segmentBytes * segmentCount];
        const table = readAt(file, segments, segmentBytes * segmentCount);
        for (let at = 0; at + SEGMENT.bytes + 8 <= table.length; at += segmentBytes)
            ends.push(
                Number(table.readBigUInt64LE(at + SEGMENT.offset)) +
                    Number(table.readBigUInt64LE(at + SEGMENT.bytes)),
            );
        return { bytes: size, expected: Math.max(...ends) };
    } catch {
        return null;
    } finally {
        closeSync(file);
    }
}

function readAt(file: number, position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}
