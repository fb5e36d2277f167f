import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile, readTextFile } from '../../host/open-file.js';
import { isJsonObject } from '../../model/json.js';
import { readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { readAggregatesFromParquet } from '../aggregate/earlier-database.js';
import { parsePythonNumbers } from '../collect/python-json.js';
import { digestKey } from '../record/record.js';
import { toWords } from '../record/record-keys.js';
import { KeyIndex } from '../store/key-index.js';
import { MASTER, type PartInfo } from '../store/manifest.js';
import { loadCodec, type PartCodec, PartError } from '../store/part-codec.js';
import { locatePart, readGeneration } from '../store/read-generation.js';
import { MasterTree } from '../tree/master-tree.js';
import { type AuditFinding, compareTrees } from './audit-leaf.js';
import { auditCells, auditTree } from './audit-tree.js';

/**
 * Checks a database against its own rules and reports what is wrong and where. Takes one of our folders, or a file of counts
 * (JSON or Parquet), ours or the earlier tools'.
 * @throws UserError (exit 2) if it cannot be read as any of them
 */
export async function auditDatabase(path: string): Promise<readonly AuditFinding[]> {
    try {
        if ((await stat(path)).isDirectory()) return await auditFolder(path);
        if (await isParquet(path)) return await auditParquet(path);
        const tree: unknown = parsePythonNumbers(await readTextFile(path));
        if (isJsonObject(tree) && COUNTS.some((key) => Object.hasOwn(tree, key))) return auditTree(tree);
    } catch (error) {
        if (error instanceof UserError) throw error;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
    throw new UserError(`${path}: expected a database of counts, a JSON object with models or test_groups`);
}

/** Keys of a database of counts; every version has at least one of them. */
const COUNTS = ['models', 'test_groups', 'summary'];

async function isParquet(path: string): Promise<boolean> {
    const handle = await openFile(path);
    try {
        const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
        return buffer.toString('latin1') === 'PAR1';
    } finally {
        await handle.close();
    }
}

async function auditParquet(path: string): Promise<readonly AuditFinding[]> {
    return auditCells((await readAggregatesFromParquet(path)).cells);
}

async function auditFolder(dir: string): Promise<readonly AuditFinding[]> {
    const { manifest } = await readGeneration(dir);
    const findings: AuditFinding[] = [];
    const seen = new KeyIndex();
    const tree = new MasterTree();
    for (const part of manifest.parts) {
        // Loaded before the checks begin: a missing package must not be reported as a finding about the database.
        const codec = await loadCodec(part.codec);
        try {
            findings.push(...(await auditPart(dir, part, codec, seen, tree)));
        } catch (error) {
            if (!(error instanceof PartError) && !(error instanceof UserError)) throw error;
            findings.push({ where: part.path, what: error.message });
        }
    }
    return [...findings, ...(await auditMaster(dir, manifest.generation, tree))];
}

/** Adds the part's records to `seen` and `tree`. */
async function auditPart(
    dir: string,
    part: PartInfo,
    codec: PartCodec,
    seen: KeyIndex,
    tree: MasterTree,
): Promise<readonly AuditFinding[]> {
    let [records, doubled] = [0, 0];
    const path = await locatePart(dir, part);
    for await (const some of codec.readRecords(path)) {
        for (const record of some) {
            const digest = toWords(digestKey(record));
            if (seen.get(digest) !== null) doubled += 1;
            seen.set(digest, 0, record.revision, 0, 0);
            tree.add(record);
            records += 1;
        }
    }
    const findings: AuditFinding[] = [];
    const { size } = await stat(path);
    if (size !== part.bytes)
        findings.push({
            where: part.path,
            what: `expected ${part.bytes} bytes (manifest), found ${size}`,
        });
    if (records !== part.records)
        findings.push({
            where: part.path,
            what: `expected ${part.records} records (manifest), found ${records}`,
        });
    if (doubled > 0)
        findings.push({ where: part.path, what: `${doubled} of its records duplicate earlier ones` });
    return findings;
}

/** Number of differing tree values listed one by one: a single missing record changes every value above it. */
const MAX_DIFFERENCES = 10;

/** Checks that master_database.json is consistent in itself and agrees with the records. */
async function auditMaster(
    dir: string,
    generation: number,
    records: MasterTree,
): Promise<readonly AuditFinding[]> {
    const text = await readTextFile(join(dir, MASTER)).catch(() => null);
    if (text === null)
        return [{ where: MASTER, what: 'it is missing: the next `resume-run collect` writes it' }];
    const written: unknown = parsePythonNumbers(text);
    if (!isJsonObject(written)) return [{ where: MASTER, what: 'it is not a JSON object' }];
    const findings = auditTree(written).map(({ where, what }) => ({ where: `${MASTER}: ${where}`, what }));
    const { models, summary, resume_run } = records.toJson('', {});
    const differences = Object.entries({ summary, models, resume_run }).flatMap(([key, expected]) =>
        compareTrees(`${MASTER}: ${key}`, written[key], expected),
    );
    const own = isJsonObject(written.resume_run) ? Number(written.resume_run.generation) : Number.NaN;
    // Compactions and migrations create a generation with the same records; the tree is not rewritten for them.
    if (own !== generation && (differences.length > 0 || own > generation)) {
        const what = `it belongs to generation ${own}, but the database is at generation ${generation}: the next \`resume-run collect\` rewrites it`;
        return [...findings, { where: MASTER, what }];
    }
    const rest = differences.length - MAX_DIFFERENCES;
    if (rest <= 0) return [...findings, ...differences];
    const what = `${rest} more of its values differ from the records`;
    return [...findings, ...differences.slice(0, MAX_DIFFERENCES), { where: MASTER, what }];
}
