import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStager } from '../../src/dataset/stage.js';
import { makeTextContent } from '../../src/model/fingerprint.js';
import type { Sample, StagedSample } from '../../src/model/sample.js';
import { folderWith } from './rig.js';

function sampleOf(id: string, input: string): Sample {
    return {
        id,
        origin: `rows.jsonl:1`,
        groups: {},
        skip: null,
        judging: {
            tests: [
                {
                    name: 'test-1',
                    input: makeTextContent(input),
                    output: makeTextContent('out'),
                    checkerFlags: ['f'],
                },
            ],
            checker: {
                kind: 'program',
                convention: 'testlib',
                language: 'CPP',
                files: [{ name: 'checker.cpp', content: makeTextContent('int main(){}') }],
                flags: [],
                time: null,
                memory: null,
            },
            limits: { time: null, memory: null, output: null },
            isFormatChecker: false,
            limitPolicy: 'own',
            computedLimit: null,
        },
    };
}

const readStage = async (path: string): Promise<StagedSample> =>
    JSON.parse(await readFile(join(path, 'sample.json'), 'utf8')) as StagedSample;

describe('staging', () => {
    it('writes tests and checker to private files and describes them in sample.json', async () => {
        const stage = await createStager({ scratch: await folderWith({}) }).stage(
            sampleOf('../a/b', 'in\r\n\0'),
        );
        const staged = await readStage(stage.path);
        expect(staged.id).toBe('../a/b');
        const [test] = staged.tests;
        expect(await readFile(test?.input ?? '', 'utf8')).toBe('in\r\n\0');
        expect(await readFile(test?.answer ?? '', 'utf8')).toBe('out');
        expect(test?.checkerFlags).toEqual(['f']);
        expect((await stat(stage.path)).mode & 0o777).toBe(0o700);
        // The folder is closed to others, so its path is of no use to them; a program of another user opens the file as its
        // /dev/stdin.
        expect((await stat(test?.input ?? '')).mode & 0o777).toBe(0o644);
        expect((await stat(test?.answer ?? '')).mode & 0o777).toBe(0o600);
        const file = staged.checker.kind === 'program' ? staged.checker.files[0].content.path : undefined;
        expect(await readFile(file ?? '', 'utf8')).toBe('int main(){}');
    });

    it('stages a sample once and removes it with its last user', async () => {
        const scratch = await folderWith({});
        const stager = createStager({ scratch });
        const sample = sampleOf('a', 'in');
        const [one, two] = await Promise.all([stager.stage(sample), stager.stage(sample)]);
        expect(one.path).toBe(two.path);
        await one.release();
        await one.release();
        expect(await readdir(scratch)).toHaveLength(1);
        await two.release();
        expect(await readdir(scratch)).toEqual([]);
    });

    it('lets a further sample wait while there is no room', async () => {
        const stager = createStager({ scratch: await folderWith({}), maxBytes: 20 });
        const first = await stager.stage(sampleOf('a', 'x'.repeat(10)));
        let started = false;
        const second = stager.stage(sampleOf('b', 'x'.repeat(100))).then((stage) => {
            started = true;
            return stage;
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(started).toBe(false);
        await first.release();
        await (await second).release();
    });

    it('says why where it cannot write', async () => {
        const stager = createStager({ scratch: join(await folderWith({ file: '' }), 'file') });
        await expect(stager.stage(sampleOf('a', 'in'))).rejects.toThrow(/cannot write the tests of a/);
    });
});
