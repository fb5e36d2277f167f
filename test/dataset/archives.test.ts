import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprintSample } from '../../src/model/fingerprint.js';
import { folderWith, indexOf, loadAll, openAll, openOne } from './rig.js';
import { zip } from './zip.js';
import { PYTHON } from '../rig/servers/run-program.js';

const PACKAGE = {
    'domjudge-problem.ini': "timelimit='3'\n",
    'data/secret/1.in': '1 2\n',
    'data/secret/1.ans': '3\n',
    'submissions/accepted/sum.py': 'print(3)\n',
};

const within = (folder: string, files: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));

describe('a zip archive', () => {
    it('is the package that it holds, of DOMjudge too, and the same one wherever it is unpacked', async () => {
        const path = zip(join(await folderWith({}), 'sum.zip'), PACKAGE);
        const [dataset, again] = [await openOne(path), await openOne(path)];
        const [sample] = await loadAll(dataset);
        expect(sample).toMatchObject({ id: 'sum', skip: null, judging: { limits: { time: 3 } } });
        expect(await indexOf(again)).toEqual(await indexOf(dataset));
        const [folder] = await loadAll(await openOne(await folderWith(PACKAGE)));
        if (sample === undefined || folder === undefined) throw new Error('no sample');
        expect(fingerprintSample(sample, '')).toEqual(fingerprintSample(folder, ''));
    });

    it('is found in folders beside others, and left alone where it holds something else', async () => {
        const folder = await folderWith(within('plain', { ...PACKAGE, 'problem.yaml': 'name: x\n' }));
        zip(join(folder, 'one.zip'), within('deep/one', { ...PACKAGE, 'problem.yaml': 'name: x\n' }));
        zip(join(folder, 'many.zip'), { ...within('a', PACKAGE), ...within('b', PACKAGE) });
        zip(join(folder, 'notes.zip'), { 'notes.txt': 'x' });
        const indexed = (await Promise.all((await openAll([folder])).map(indexOf))).flat();
        expect(indexed.map(({ id }) => id).sort()).toEqual(['many/a', 'many/b', 'one', 'plain']);
        await expect(openAll([join(folder, 'notes.zip')])).rejects.toThrow(
            /not a zip archive that holds a problem package/,
        );
    });

    it('is taken where nothing but a stray file of JSON lies beside it', async () => {
        const folder = await folderWith({ 'contest.json': '{"name": "finals"}' });
        zip(join(folder, 'one.zip'), { ...PACKAGE, 'problem.yaml': 'name: x\n' });
        const indexed = (await Promise.all((await openAll([folder])).map(indexOf))).flat();
        expect(indexed.map(({ id }) => id)).toEqual(['one']);
    });

    it('is left out beside others where its package cannot be read, and an error where it is named alone', async () => {
        const folder = await folderWith(within('plain', { ...PACKAGE, 'problem.yaml': 'name: x\n' }));
        const broken = zip(join(folder, 'broken.zip'), { ...PACKAGE, 'problem.yaml': 'name: {{ x }\n' });
        const datasets = await openAll([folder]);
        const indexed = (await Promise.all(datasets.map(indexOf))).flat();
        expect(indexed.map(({ id }) => id)).toEqual(['plain']);
        expect(datasets.flatMap(({ badRows }) => badRows)).toEqual([
            expect.stringMatching(/broken.*not valid YAML/),
        ]);
        await expect(openOne(broken).then(indexOf)).rejects.toThrow(/not valid YAML/);
    });

    it('is skipped where DOMjudge judges it by a program that it does not hold', async () => {
        const skipOf = async (lines: string, files = {}) => {
            const ini = { 'domjudge-problem.ini': `timelimit='3'\n${lines}\n`, ...files };
            const [sample] = await loadAll(await openOne(await folderWith({ ...PACKAGE, ...ini })));
            return sample?.skip;
        };
        expect(await skipOf("special_compare='float'")).toBe(
            'DOMjudge judges it by special_compare "float", which is not in the package',
        );
        expect(await skipOf("special_run='boolfind_run'")).toMatch(/special_run "boolfind_run"/);
        expect(await skipOf("special_compare='compare'")).toBeNull();
        const own = { 'output_validators/check.py': 'x', 'problem.yaml': 'validation: custom\n' };
        expect(await skipOf("special_compare='float'", own)).toBeNull();
    });

    it('cannot write outside of its folder, and is refused where it is damaged', async () => {
        const folder = await folderWith({});
        const hostile = zip(join(folder, 'hostile.zip'), { 'problem.yaml': '', '../../escaped.txt': 'x' });
        await expect(openAll([hostile])).rejects.toThrow(/hostile\.zip: .*(relative|\.\.)|no zip archive/);
        const good = zip(join(folder, 'good.zip'), { 'problem.yaml': 'name: x\n'.repeat(5000) });
        const torn = execFileSync(PYTHON, [
            '-c',
            'import sys; data = bytearray(open(sys.argv[1], "rb").read()); data[45:60] = bytes(15); sys.stdout.buffer.write(data)',
            good,
        ]);
        writeFileSync(join(dirname(good), 'torn.zip'), torn);
        renameSync(good, join(folder, 'good.bak'));
        await expect(openAll([join(folder, 'torn.zip')])).rejects.toThrow(/torn\.zip: cannot be unpacked/);
    });

    it.each([
        ['names a file twice', 'out.writestr("a", "1"); out.writestr("a", "2")', /contains "a" twice/],
        [
            'has a file and a folder of one name',
            'out.writestr("a", "1"); out.writestr("a/b", "2")',
            /cannot be unpacked/,
        ],
        [
            'repeats one file under many names',
            'out.writestr("a", "x" * 99999); out.filelist += [copy.copy(out.filelist[-1]) for _ in range(9)]',
            /overlapping files/,
        ],
        [
            'grows too much',
            'out.writestr("a", "x" * 99999); out.filelist[-1].file_size = 2 ** 31',
            /expands to more than 200 times its size/,
        ],
        [
            'lies about a size in its zip64 fields',
            'out.writestr("a", "x" * 99999); out.filelist[-1].file_size = 2 ** 45',
            /larger than 16 GiB once unpacked/,
        ],
        [
            'says less than it holds',
            'out.writestr("a", "x" * 99999); out.filelist[-1].file_size = 10',
            /cannot be unpacked: too many bytes/,
        ],
        [
            'holds what its checksum does not know',
            'out.writestr("a", "x"); out.filelist[-1].CRC ^= 1',
            /the checksum of "a" is wrong/,
        ],
        ['has a name that is too long', 'out.writestr("a" * 5000, "x")', /cannot be unpacked: ENAMETOOLONG/],
    ])('is refused where it %s', async (_, code, message) => {
        const path = join(await folderWith({}), 'hostile.zip');
        const script = `import copy, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    out.writestr("problem.yaml", "name: x")
    ${code}`;
        execFileSync('python3', ['-W', 'ignore', '-c', script, path]);
        await expect(openAll([path])).rejects.toThrow(message);
    });
});
