import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CrashDataset, keysOf } from './dataset.js';
import { type RunRecord, Scene } from './scene.js';
import { LONG } from '../rig/long.js';

const DATASET: CrashDataset = [
    { id: 'whole', groups: { solution: [{ key: 'w-0' }, { key: 'w-1x' }] } },
    { id: 'torn', groups: { solution: [{ key: 't-0' }, { key: 't-1' }], iteration: [{ key: 't-2' }] } },
];

const TORN_KEYS = ['t-0', 't-1', 't-2'];

/** Many samples with the same tasks, so that one start of the program meets that many damaged files. */
function manyOf(count: number): CrashDataset {
    return Array.from({ length: count }, (_, at) => ({
        id: `torn-${at}`,
        groups: { solution: [{ key: `${at}-0` }, { key: `${at}-1` }], iteration: [{ key: `${at}-2` }] },
    }));
}

type Damage = (whole: Buffer, id: string) => Buffer | string;

const DAMAGES: Readonly<Record<string, Damage>> = {
    'it is empty': () => '',
    'it is all zeros, as after a power cut': (whole) => Buffer.alloc(whole.length),
    'a block of it is zeros': (whole) =>
        Buffer.concat([whole.subarray(0, 300), Buffer.alloc(512), whole.subarray(812)]),
    'it is something else': () => 'hello\n',
    'it is a list': () => '[]',
    'it is null': () => 'null',
    'groups of another type': (_, id) => `{"id":"${id}","solution_result":{"0":1},"progress":{}}`,
    'entries of another type': (_, id) => `{"id":"${id}","solution_result":[1,"x",null],"progress":{}}`,
    'it names __proto__': (_, id) =>
        `{"id":"${id}","__proto__":{"is_complete":true},"solution_result":7,"progress":{}}`,
    'it is not UTF-8': (whole) =>
        Buffer.concat([whole.subarray(0, 40), Buffer.of(0xc3, 0x28), whole.subarray(42)]),
    'bytes after its end': (whole) => Buffer.concat([whole, Buffer.from('}')]),
    'nested without end': (_, id) => `{"id":"${id}","solution_result":${'['.repeat(200_000)}`,
};

const corruptIn = (scene: Scene): string[] =>
    readdirSync(scene.results).filter((name) => name.includes('.corrupt-'));

const noticesOf = (record: RunRecord): string[] =>
    record.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));

describe('a checkpoint that was torn', () => {
    it('at any length is moved aside, said so, and its sample is done again', async () => {
        const pattern = new Scene(manyOf(1));
        await pattern.finish();
        const length = readFileSync(join(pattern.results, 'torn-0.json')).length;
        const step = LONG ? 1 : 47;
        const lengths = Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step);
        const scene = new Scene(manyOf(lengths.length));
        await scene.finish();
        const torn = new Map<string, Buffer>();
        for (const [at, size] of lengths.entries()) {
            const name = `torn-${at}.json`;
            const bytes = readFileSync(join(scene.results, name)).subarray(0, size);
            // Only the final newline is missing, so the file is still complete.
            if (isJson(bytes)) continue;
            torn.set(name, bytes);
            writeFileSync(join(scene.results, name), bytes);
        }
        const record = await scene.start({ inProcess: true, what: `${torn.size} files torn` });
        expect(record.code, record.stderr).toBe(0);
        expect(record.executed).toEqual([...torn.keys()].flatMap(keysOfTorn).sort());
        const corrupt = corruptIn(scene);
        expect(corrupt).toHaveLength(torn.size);
        for (const name of corrupt) {
            const [of = ''] = name.split('.corrupt-');
            expect(readFileSync(join(scene.results, name)), `what ${of} held`).toEqual(torn.get(of));
        }
        const notices = noticesOf(record).filter((line) => line.includes('cannot be read as a result file'));
        expect(notices).toHaveLength(torn.size);
        await scene.expectSameAsUninterrupted('changes');
    });

    it('or is anything else is moved aside as it is, never overwritten', async () => {
        const damages = Object.values(DAMAGES);
        const scene = new Scene(manyOf(damages.length));
        await scene.finish();
        const damaged = damages.map((damage, at) => {
            const file = join(scene.results, `torn-${at}.json`);
            const bytes = Buffer.from(damage(readFileSync(file), `torn-${at}`));
            writeFileSync(file, bytes);
            return bytes;
        });
        const record = await scene.start({ inProcess: true, what: 'damaged' });
        expect(record.code, record.stderr).toBe(0);
        expect(record.executed, 'all are done again').toEqual(keysOf(scene.dataset).sort());
        for (const [at, what] of Object.keys(DAMAGES).entries()) {
            const [aside = '', ...more] = corruptIn(scene).filter((name) =>
                name.startsWith(`torn-${at}.json`),
            );
            expect(more, what).toEqual([]);
            expect(readFileSync(join(scene.results, aside)).equals(damaged[at] ?? Buffer.of()), what).toBe(
                true,
            );
            expect(noticesOf(record).join('\n'), what).toContain(`moved to ${join(scene.results, aside)}`);
        }
        expect((await scene.finish()).executed).toEqual([]);
        await scene.expectSameAsUninterrupted('changes');
    });

    it("holds another sample's results: that sample keeps them, this one is done", async () => {
        const scene = new Scene(DATASET);
        await scene.finish();
        const other = readFileSync(join(scene.results, 'whole.json'), 'utf8').replace(
            '"whole"',
            '"elsewhere"',
        );
        writeFileSync(join(scene.results, 'torn.json'), other);
        const record = await scene.start({ inProcess: true, what: 'of another id' });
        expect(record.code, record.stderr).toBe(0);
        expect(record.executed).toEqual(TORN_KEYS);
        expect(readFileSync(join(scene.results, 'torn.json'), 'utf8')).toBe(other);
    });

    it('is a folder: moved aside, and its sample done again', async () => {
        const scene = new Scene(DATASET);
        mkdirSync(join(scene.results, 'torn.json'), { recursive: true });
        const record = await scene.start({ inProcess: true, what: 'a folder in the way' });
        expect(record.code, record.stderr).toBe(0);
        expect(record.stderr).toMatch(/torn\.json cannot be read .*\(it is a folder, not a file\): moved to/);
    });
});

describe('files of the checkpoints folder that are damaged', () => {
    it('the index: made again, nothing runs again', async () => {
        const scene = new Scene(DATASET);
        await scene.finish();
        const file = join(scene.checkpoints, 'index.json');
        const whole = readFileSync(file, 'utf8');
        for (const text of [
            '',
            whole.slice(0, whole.length / 2),
            '{"version":2}',
            '[]',
            whole.replaceAll('0', 'x'),
        ]) {
            writeFileSync(file, text);
            expect((await scene.finish({ what: `index ${text.slice(0, 20)}` })).executed).toEqual([]);
        }
        await scene.expectSameAsUninterrupted();
    });

    it('run.json: exit 2, a line that says what to do, and doing it helps', async () => {
        const scene = new Scene(DATASET);
        await scene.finish();
        const file = join(scene.checkpoints, 'run.json');
        writeFileSync(file, readFileSync(file).subarray(0, 100));
        const record = await scene.start({ inProcess: true, what: 'run.json torn' });
        expect(record.code).toBe(2);
        expect(record.stderr).toMatch(/run\.json is damaged.*move it away/);
        renameSync(file, join(scene.home, 'moved.json'));
        expect((await scene.finish()).executed).toEqual([]);
    });

    it('superseded.jsonl with a torn last line: later lines do not stick to it', async () => {
        const scene = new Scene(DATASET);
        await scene.finish();
        const file = join(scene.checkpoints, 'superseded.jsonl');
        writeFileSync(file, '{"sample":"x","entry":{"res');
        scene.dataset = [{ id: 'torn', groups: { solution: [{ key: 't-0' }] } }];
        await scene.start({ inProcess: true, what: 'two tasks of the dataset are gone' });
        const lines = readFileSync(file, 'utf8').split('\n').slice(1, -1);
        expect(lines.map((line) => (JSON.parse(line) as { sample: string }).sample)).toEqual([
            'torn',
            'torn',
        ]);
    });

    it('a lock file that cannot be read holds nobody up with --take-over', async () => {
        const scene = new Scene(DATASET);
        mkdirSync(scene.checkpoints, { recursive: true });
        writeFileSync(join(scene.checkpoints, 'lock.7'), '\0\0\0\0');
        await scene.finish({ args: ['--take-over'] });
        expect(readdirSync(scene.checkpoints)).toContain('lock.8');
    });
});

const keysOfTorn = (name: string): string[] => {
    const at = /\d+/.exec(name)?.[0] ?? '';
    return [`${at}-0`, `${at}-1`, `${at}-2`];
};

function isJson(bytes: Buffer): boolean {
    try {
        JSON.parse(bytes.toString());
        return true;
    } catch {
        return false;
    }
}
