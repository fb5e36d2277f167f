import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, jsonValue, property, string, uint8Array } from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FileNames } from '../../src/checkpoint/result-file/names.js';
import { parseCheckpoint, parseRawFile } from '../../src/checkpoint/result-file/parse.js';
import {
    readCheckpointFile,
    readCheckpointFileAtOnce,
    readListedCheckpointFile,
    type ReadResult,
    SampleFileReader,
} from '../../src/checkpoint/result-file/read-file.js';
import { runs } from '../rig/long.js';
import { BY, entry, place, scratch, state } from './rig.js';

it('a run reads the same from small and large files, and whatever its disk does', async () => {
    const { results } = place();
    mkdirSync(results, { recursive: true });
    const whole = await wholeFile();
    const large = Buffer.from(whole.toString().replace('broke', 'x'.repeat(100_000)));
    const reader = new SampleFileReader();
    for (const [name, bytes] of Object.entries({ whole, large, torn: whole.subarray(0, -9) })) {
        const path = join(results, `${name}.json`);
        writeFileSync(path, bytes);
        for (const id of ['p/1', 'p/2'])
            expect(await reader.read(path, id)).toEqual(await readCheckpointFile(path, id));
    }
    expect(await reader.read(join(results, 'nothing.json'), 'p/1')).toEqual({ kind: 'absent' });
    execFileSync('mkfifo', [join(results, 'pipe.json')]);
    expect(await reader.read(join(results, 'pipe.json'), 'p/1')).toMatchObject({ kind: 'corrupt' });
    // A clock by which every file takes a second, so that the next ones are read without waiting.
    const clock = vi.spyOn(performance, 'now');
    let now = 0;
    clock.mockImplementation(() => (now += 1000));
    for (let at = 0; at < 3; at += 1)
        expect(await reader.read(join(results, 'whole.json'), 'p/1')).toMatchObject({ kind: 'checkpoint' });
    expect(clock).toHaveBeenCalledTimes(2);
    clock.mockRestore();
});

/** A result file with everything that it can hold. */
async function wholeFile(): Promise<Buffer> {
    const { store, results } = place();
    const writer = store().open(
        state(
            'p/1',
            [
                ['solution', 2],
                ['incorrect_solution', 1],
            ],
            {
                skipped: [{ group: 'solution', index: 2, reason: 'no toolchain for COBOL' }],
            },
        ),
    );
    await writer.commit('solution', entry(0, 'WrongAnswer', { solution: 'a "quoted"\n\\ é 😀' }), BY);
    await writer.setComputedLimits({ time: 1, slowest: 0.2, group_fingerprint: 'x' });
    await writer.note('failures', {
        group: 'solution',
        index: 1,
        fingerprint: 'f',
        reason: 'sandbox',
        message: 'broke',
        attempts: [],
    });
    await writer.close();
    return readFileSync(join(results, 'p_1.json'));
}

const withoutStamp = (read: ReadResult): ReadResult =>
    read.kind === 'checkpoint'
        ? { ...read, checkpoint: { ...read.checkpoint, stamp: { inode: '', size: 0, mtime: '' } } }
        : read;

const stamp = { inode: '1', size: 1, mtime: '1' };

describe('reading a result file', () => {
    it('takes no prefix of it for a result', async () => {
        const bytes = await wholeFile();
        const path = join(scratch(), 'torn.json');
        for (let length = 0; length < bytes.length - 1; length += 1) {
            writeFileSync(path, bytes.subarray(0, length));
            expect((await readCheckpointFile(path, 'p/1')).kind, `${length} bytes`).toBe('corrupt');
            expect((await readCheckpointFile(path, 'p/1', 0)).kind, `${length} bytes, in pieces`).toBe(
                'corrupt',
            );
        }
        writeFileSync(path, bytes);
        const whole = await readCheckpointFile(path, 'p/1');
        expect(whole.kind).toBe('checkpoint');
        expect(await readCheckpointFile(path, 'p/1', 0)).toEqual(whole);
    });

    it('finds the same where a small file is read at once', async () => {
        const folder = scratch();
        const bytes = await wholeFile();
        const files: Readonly<Record<string, Buffer>> = {
            'whole.json': bytes,
            'torn.json': bytes.subarray(0, -3),
            'empty.json': Buffer.alloc(0),
            'zeros.json': Buffer.alloc(bytes.length),
            'large.json': Buffer.concat([Buffer.alloc(100_000, ' '), bytes]),
        };
        for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
        mkdirSync(join(folder, 'folder.json'));
        symlinkSync('circle.json', join(folder, 'circle.json'));
        symlinkSync('whole.json', join(folder, 'link.json'));
        execFileSync('mkfifo', [join(folder, 'fifo.json')]);
        const names = ['folder', 'circle', 'link', 'fifo', 'absent'].map((name) => `${name}.json`);
        const kinds = new Set<string>();
        for (const name of [...Object.keys(files), ...names]) {
            const found = await readCheckpointFile(join(folder, name), null);
            expect(await readCheckpointFileAtOnce(join(folder, name)), name).toEqual(found);
            kinds.add(found.kind);
            // Directory listings never report a FIFO as a regular file.
            if (name === 'fifo.json') continue;
            const listed = readListedCheckpointFile(join(folder, name));
            // Files that are not small, or no longer regular files, are read the other way.
            if (listed === null) expect(['large.json', ...names]).toContain(name);
            else expect(listed, name).toEqual(withoutStamp(found));
        }
        expect([...kinds].sort()).toEqual(['absent', 'checkpoint', 'corrupt']);
    });

    it('takes no file with a block of zeros for a result', async () => {
        const bytes = await wholeFile();
        const path = join(scratch(), 'zeros.json');
        for (let start = 0; start < bytes.length - 16; start += 16) {
            const torn = Buffer.from(bytes);
            torn.fill(0, start, start + 16);
            writeFileSync(path, torn);
            expect((await readCheckpointFile(path, 'p/1')).kind).toBe('corrupt');
        }
    });

    it('survives garbage', async () => {
        const path = join(scratch(), 'garbage.json');
        for (const bytes of [
            '',
            '\0\0\0\0',
            'null',
            '[]',
            '42',
            '{}',
            '{"id": 5}',
            '{"id": "p/1", "solution_result": {}}',
            '['.repeat(200_000),
            Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
        ]) {
            writeFileSync(path, bytes);
            expect((await readCheckpointFile(path, 'p/1')).kind).toBe('corrupt');
            expect((await readCheckpointFile(path, 'p/1', 0)).kind).toBe('corrupt');
        }
        expect((await readCheckpointFile(`${path}.not`, 'p/1')).kind).toBe('absent');
    });

    it('reads the same in pieces as in one, whatever it holds', async () => {
        const path = join(scratch(), 'any.json');
        const values = string({ unit: 'binary' });
        const samples: string[] = [];
        assert(
            property(values, jsonValue(), jsonValue(), (id, result, member) => {
                const file = { id, solution_result: [{ language: 'CPP', result }, member], other: member };
                samples.push(JSON.stringify(file, null, samples.length % 3));
            }),
            { numRuns: runs(60) },
        );
        for (const sample of samples) {
            writeFileSync(path, sample);
            const whole = await readCheckpointFile(path, null);
            const pieces = await readCheckpointFile(path, null, 0);
            if (!sample.includes('test_info')) expect(pieces).toEqual(whole);
        }
    });

    it('never throws on bytes', async () => {
        const path = join(scratch(), 'bytes.json');
        const samples: Uint8Array[] = [];
        assert(property(uint8Array({ maxLength: 200 }), (bytes) => void samples.push(bytes)));
        for (const bytes of samples) {
            writeFileSync(path, bytes);
            await readCheckpointFile(path, 'p/1');
            await readCheckpointFile(path, 'p/1', 0);
        }
        expect(samples.length).toBeGreaterThan(50);
    });

    it('says whose file it is when it is another sample’s', async () => {
        const path = join(scratch(), 'other.json');
        writeFileSync(path, await wholeFile());
        expect(await readCheckpointFile(path, 'p/2')).toEqual({ kind: 'other', id: 'p/1' });
    });

    it('says what stands in place of a file', async () => {
        const why = 'it is a folder, not a file';
        expect(await readCheckpointFile(scratch(), 'p/1')).toEqual({ kind: 'corrupt', why });
    });
});

describe('parsing a result file', () => {
    type Member = Record<string, unknown>;
    const good = (): Member & { solution_result: Member[] } => ({
        id: 'p/1',
        solution_result: [JSON.parse(JSON.stringify(entry(0)))],
        api_used: 'local',
        worker_id: 'w',
        progress: { completed_solutions: 1, total_solutions: 1, is_complete: true },
    });
    const parse = (json: unknown) => {
        const raw = parseRawFile(JSON.parse(JSON.stringify(json)));
        return typeof raw === 'string' ? { kind: 'corrupt', why: raw } : parseCheckpoint(raw, 'p/1', stamp);
    };

    it('believes what is right', () => {
        expect(parse(good())).toMatchObject({ kind: 'checkpoint', checkpoint: { isComplete: true } });
    });

    it.each([
        ['index', -1],
        ['index', 1.5],
        ['index', '0'],
        ['fingerprint', 7],
        ['fingerprint', ''],
        ['language', 1],
        ['solution', ['x']],
        ['result', null],
        ['result', 'Accepted'],
        ['result', { accepted: true, verdict: 'WrongAnswer', tests: [] }],
        ['result', { accepted: false, verdict: 'Accepted', tests: [] }],
        ['result', { accepted: true, verdict: 'Accepted', tests: 'all' }],
        ['result', { accepted: true, verdict: 'Accepted', tests: [{ passed: 'yes' }] }],
        ['limits', { time: '1' }],
        ['attempts', {}],
        ['attempts', [{ attempt: 1, verdict: 'Perfect' }]],
        ['expected', ['Perfect']],
    ])('does not believe an entry whose %s is %j', (key, value) => {
        const file = good();
        const [first] = file.solution_result;
        if (first !== undefined) first[key] = value;
        expect(parse(file)).toMatchObject({ kind: 'corrupt' });
    });

    it.each([
        ['progress', null],
        ['progress', { total_solutions: '1' }],
        ['progress', { is_complete: true }],
        ['solution_result', 'none'],
        ['failures', [{}]],
        ['pending', 3],
        ['skipped', [{ group: 'solution', index: 0 }]],
        ['computed_limits', { time: 'x' }],
    ])('does not believe a file whose %s is %j', (key, value) => {
        expect(parse({ ...good(), [key]: value })).toMatchObject({ kind: 'corrupt' });
    });

    it('counts for itself whether a file is complete', () => {
        const progress = { completed_solutions: 2, total_solutions: 2, is_complete: true };
        expect(parse({ ...good(), progress })).toMatchObject({ checkpoint: { isComplete: false } });
    });

    it('is not fooled by __proto__', () => {
        const text = JSON.stringify(good()).replace(
            '{',
            '{"__proto__": {"x": 1}, "__proto___result": [], "constructor_result": [],',
        );
        const progress = '"total___proto__s": 0, "total_constructors": 0, "is_complete"';
        const raw = parseRawFile(JSON.parse(text.replace('"is_complete"', progress)));
        if (typeof raw === 'string') throw new Error(raw);
        const parsed = parseCheckpoint(raw, 'p/1', stamp);
        expect(parsed).toMatchObject({ kind: 'checkpoint' });
        expect(({} as Member)['x']).toBeUndefined();
    });

    it('never throws on JSON', () => {
        assert(
            property(jsonValue(), jsonValue(), jsonValue(), (result, progress, failures) => {
                const file = { ...good(), progress, failures };
                const [first] = file.solution_result;
                if (first !== undefined) first['result'] = result;
                expect(['checkpoint', 'corrupt']).toContain(parse(file).kind);
            }),
        );
    });
});

describe('a file that cannot be read as one', () => {
    it('is moved aside, told of, and its sample starts anew', async () => {
        const { store, results, notices } = place();
        mkdirSync(results);
        writeFileSync(join(results, 'p_1.json'), '{"id": "p/1", "solu');
        const opened = store();
        expect(await opened.read('p/1')).toBeNull();
        const [aside = ''] = readdirSync(results);
        expect(aside).toMatch(/^p_1\.json\.corrupt-\d{8}T\d{6}Z$/);
        expect(readFileSync(join(results, aside), 'utf8')).toBe('{"id": "p/1", "solu');
        expect(notices).toHaveLength(1);
        expect(notices[0]).toContain(aside);
        await opened.open(state('p/1', [['solution', 1]])).commit('solution', entry(0), BY);
        expect(existsSync(join(results, 'p_1.json'))).toBe(true);
        expect(existsSync(join(results, aside))).toBe(true);
    });

    it('stays where it is for those who only look', async () => {
        const { store, results, notices } = place();
        mkdirSync(results);
        writeFileSync(join(results, 'p_1.json'), 'x');
        expect(await store({ readOnly: true }).read('p/1')).toBeNull();
        expect(readdirSync(results)).toEqual(['p_1.json']);
        expect(notices).toHaveLength(1);
    });

    it('of another sample is neither read nor overwritten', async () => {
        const { store } = place(['a/b']);
        const before = store().open(state('a/b', [['solution', 1]]));
        await before.commit('solution', entry(0), BY);
        const second = store({ names: new FileNames(['a_b']) });
        expect(await second.read('a_b')).toBeNull();
        await second.open(state('a_b', [['solution', 1]])).commit('solution', entry(0, 'WrongAnswer'), BY);
        expect((await store().read('a/b'))?.entries.get('solution')?.[0]?.entry.result['verdict']).toBe(
            'Accepted',
        );
        expect((await second.read('a_b'))?.entries.get('solution')?.[0]?.entry.result['verdict']).toBe(
            'WrongAnswer',
        );
    });
});
