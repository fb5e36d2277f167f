import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchiveList } from '../../src/checkpoint/upkeep/archive-list.js';
import { readControl } from '../../src/checkpoint/run-directory/control.js';
import { IndexFile } from '../../src/checkpoint/index/index-file.js';
import { readRunFile } from '../../src/checkpoint/run-directory/run-file.js';
import { listLocks } from '../../src/host/lock-file.js';
import { ownIdentity } from '../../src/host/lock-identity.js';
import type { FileStamp } from '../../src/model/checkpoint.js';
import { tallySample } from '../../src/model/tally.js';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';
import { HOLDER, runFile, scratch } from './rig.js';

/*
 * Files of ours that somebody has edited, truncated or corrupted. A start reads each of them: it may refuse one with a single
 * line or skip it, but it must neither crash nor accept nonsense.
 */

const STAMP: FileStamp = { inode: '12', size: 5, mtime: '1763712000123456789' };

const FILES: Readonly<Record<string, unknown>> = {
    'run.json': runFile('tle'),
    'control.json': { concurrency: 8, at: '2026-11-21T09:00:00.000Z' },
    'lock.1': {
        id: HOLDER,
        identity: ownIdentity(),
        shard: { index: 1, count: 2 },
        startedAt: '2026-11-21T09:00:00.000Z',
    },
};

/** An index as the product writes it. */
async function indexText(): Promise<unknown> {
    const dir = scratch();
    const index = await IndexFile.load(dir, null, HOLDER);
    const group = {
        name: 'solution',
        total: 1,
        entries: [
            { index: 0, verdict: 'WrongAnswer' as const, nearLimit: true, aboveOwn: false, name: 'a.cpp' },
        ],
        skipped: [],
        failed: [],
        pending: 0,
    };
    index.set('a', STAMP, 'f1', 'key', tallySample('a', [group]));
    const row = { id: 'a', locator: { offset: 0 }, groups: [['solution', 1]] as const, fingerprint: 'f1' };
    index.datasets.set('data.jsonl', STAMP, [row]);
    await index.save();
    const { readFileSync } = await import('node:fs');
    return JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8'));
}

/** Every path of a JSON value. */
function paths(value: unknown, at: readonly string[] = []): string[][] {
    if (typeof value !== 'object' || value === null) return [[...at]];
    return [[...at], ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...at, key]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
    const [key, ...rest] = path;
    if (key === undefined) return by;
    const copy = structuredClone(value) as Record<string, unknown>;
    copy[key] = replaced(copy[key], rest, by);
    return copy;
}

const ODD = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(-1, 1e300, 0.5, '', '__proto__', '../../etc/passwd', 'a\0b', [], {}, null, [[[]]]),
);

/** The text of a corrupted file: one value replaced by any other, truncated, or with changed bytes. */
function spoiled(value: unknown): fc.Arbitrary<Buffer> {
    const text = Buffer.from(`${JSON.stringify(value)}\n`);
    const replacedBy = fc
        .tuple(fc.constantFrom(...paths(value)), ODD)
        .map(([path, by]) => Buffer.from(`${JSON.stringify(replaced(value, path, by))}\n`));
    const cut = fc.nat(text.length).map((length) => text.subarray(0, length));
    const changed = fc.tuple(fc.nat(text.length - 1), fc.nat(255)).map(([at, byte]) => {
        const copy = Buffer.from(text);
        copy[at] = byte;
        return copy;
    });
    return fc.oneof(
        { weight: 4, arbitrary: replacedBy },
        cut,
        changed,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
}

/** Resolves with null if the read was refused properly, in one line. */
async function refusedInOneLine<T>(read: Promise<T>): Promise<T | null> {
    try {
        return await read;
    } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect((error as UserError).message).toMatch(/^[^\n]+$/);
        return null;
    }
}

async function check(name: string, value: unknown, read: (dir: string) => Promise<void>): Promise<void> {
    const dir = scratch();
    await fc.assert(
        fc.asyncProperty(spoiled(value), async (bytes) => {
            writeFileSync(join(dir, name), bytes);
            await read(dir);
            expect(Object.keys(Object.prototype)).toEqual([]);
        }),
        { numRuns: runs(400) },
    );
}

describe('spoiled files of ours', () => {
    it('run.json', async () => {
        await check('run.json', FILES['run.json'], async (dir) => {
            const run = await refusedInOneLine(readRunFile(dir));
            if (run === null) return;
            for (const { path } of run.datasets) expect(typeof path).toBe('string');
            for (const { request } of run.reruns) expect(request).not.toBe('');
            expect(Number.isSafeInteger(run.totals.samples)).toBe(true);
        });
    });

    it('index.json: never an error, never a tally of something else', async () => {
        await check('index.json', await indexText(), async (dir) => {
            const index = await IndexFile.load(dir, null, HOLDER);
            const tally = index.get('a', STAMP, 'f1', 'key');
            if (tally !== null) {
                expect([tally.id, tally.isComplete, typeof tally.groups]).toEqual(['a', true, 'object']);
                for (const { total, completed } of Object.values(tally.groups)) {
                    expect([Number.isSafeInteger(total), Number.isSafeInteger(completed)]).toEqual([
                        true,
                        true,
                    ]);
                }
            }
            for (const row of index.datasets.get('data.jsonl', STAMP) ?? []) {
                expect([typeof row.id, typeof row.fingerprint]).toEqual(['string', 'string']);
                for (const [name, count] of row.groups) {
                    expect([typeof name, Number.isSafeInteger(count)]).toEqual(['string', true]);
                }
            }
        });
    });

    it('control.json: never an error, never a concurrency that is none', async () => {
        await check('control.json', FILES['control.json'], async (dir) => {
            const control = await readControl(dir);
            if (control === null) return;
            expect(Number.isSafeInteger(control.concurrency) && control.concurrency >= 1).toBe(true);
            expect(typeof control.at).toBe('string');
        });
    });

    it('a lock: never an error; what is not a lock has no content', async () => {
        await check('lock.1', FILES['lock.1'], async (dir) => {
            const [lock] = await listLocks(dir);
            expect(lock?.number).toBe(1);
            const content = lock?.content ?? null;
            if (content === null) return;
            expect([typeof content.id, typeof content.startedAt]).toEqual(['string', 'string']);
            expect(typeof content.identity.host).toBe('string');
        });
    });

    it('archive.json', async () => {
        const archive = {
            version: 1,
            archives: [{ kind: 'folder', path: 'old', files: [['a', 'a.json', 0, 10, 'ab']] }],
        };
        await check('archive.json', archive, async (dir) => {
            await refusedInOneLine(ArchiveList.load(dir));
        });
    });
});
