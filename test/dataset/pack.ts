import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** Packs JSONL as published datasets do. */
export type Pack = (lines: string) => Promise<Uint8Array>;

export const packGzip: Pack = async (lines) => gzipSync(lines);

export const packZstd: Pack = (lines) => copy(lines, 'FORMAT json, COMPRESSION zstd');

/** @param rowsPerGroup a multiple of 2,048, because DuckDB writes whole vectors */
export const packParquet =
    (codec: 'snappy' | 'zstd' | 'gzip' | 'uncompressed', rowsPerGroup = 100_000): Pack =>
    (lines) =>
        copy(lines, `FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE ${rowsPerGroup}`);

/** One engine for all tests of a file, with each content packed only once, because opening an engine takes longer than a test. */
let engine: Promise<DuckDBConnection> | null = null;
const packed = new Map<string, Promise<Uint8Array>>();

function copy(lines: string, how: string): Promise<Uint8Array> {
    const key = `${how}\n${lines}`;
    const known = packed.get(key) ?? copyAnew(lines, how);
    packed.set(key, known);
    return known;
}

async function copyAnew(lines: string, how: string): Promise<Uint8Array> {
    engine ??= DuckDBInstance.create(':memory:', { threads: '1' }).then((instance) => instance.connect());
    const connection = await engine;
    const folder = await mkdtemp(join(tmpdir(), 'resume-run-pack-'));
    try {
        const [from, to] = [join(folder, 'rows.jsonl'), join(folder, 'packed')];
        await writeFile(from, lines);
        await connection.run(
            `COPY (SELECT * FROM read_json('${from}', format = 'newline_delimited', sample_size = -1, maximum_object_size = 100000000)) TO '${to}' (${how})`,
        );
        return await readFile(to);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}
