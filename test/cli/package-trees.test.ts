import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

describe('repositories of problem packages', () => {
    let cwd = '';
    const write = (name: string, text: string): void => {
        mkdirSync(dirname(join(cwd, name)), { recursive: true });
        writeFileSync(join(cwd, name), text);
    };
    const writePackage = (folder: string, answer: string): void => {
        write(`${folder}/problem.yaml`, 'name: Say\n');
        write(`${folder}/.timelimit`, '5\n');
        write(`${folder}/data/secret/1.in`, '');
        write(`${folder}/data/secret/1.ans`, answer);
        write(`${folder}/submissions/accepted/say.py`, `print("${answer}")\n`);
    };
    const start = (...args: string[]) => callCli([...args, '--dir', 'out', '-q'], { cwd });
    const results = (): string[] =>
        readdirSync(join(cwd, 'out'), { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith('.json'))
            .sort();

    beforeEach(() => {
        cwd = tempDir();
        writePackage('first/hello', 'one');
    });

    it('have ids apart where they hold a package at the same place, whichever is named later', async () => {
        expect((await start('first')).code).toBe(0);
        writePackage('second/hello', 'two');
        const both = await start('second', 'first');
        expect([both.stderr, both.code]).toEqual(['', 0]);
        const names = results();
        expect(names).toHaveLength(2);
        const alone = await start('second');
        expect([alone.stderr, alone.code]).toEqual(['', 0]);
        expect(results()).toEqual(names);
        const { stdout } = await callCli(['status', '--dir', 'out'], { cwd });
        expect(stdout).toMatch(/2 of 2 samples|samples +2\b.*/);
    });

    it('are judged without what in them is not a package, or cannot be read, which is listed', async () => {
        write('first/package.json', '{"name": "tools"}');
        write('first/template/problem.yaml', 'name: {{ name }\n');
        const { code, stderr } = await start('first');
        expect(code).toBe(0);
        expect(stderr).toMatch(/left out: .*package\.json.*not a row of a known format/);
        expect(stderr).toMatch(/left out: .*template\/problem\.yaml: not valid YAML/);
        expect(results()).toHaveLength(1);
        // Naming it alone is an error.
        expect((await start('first/template')).code).toBe(2);
        expect(existsSync(join(cwd, 'out/template.json'))).toBe(false);
    });

    it('are judged without a template of a tool for new packages, which has an example for its content', async () => {
        writePackage('first/new', 'one');
        write('first/new/problem.yaml', 'name: Example problem\ncredits: TODO\nrights_owner: TODO\n');
        // A template that somebody has begun to fill in is a package.
        expect((await start('first')).stderr).toBe('');
        expect(results()).toEqual(['hello.json', 'new.json']);
        renameSync(join(cwd, 'first/new/data/secret'), join(cwd, 'first/new/data/sample'));
        const { stderr } = await callCli(['first', '--dir', 'other', '-q'], { cwd });
        expect(stderr).toMatch(/left out: .*new: is a template: its credits and rights_owner are TODO/);
        expect(readdirSync(join(cwd, 'other'))).toEqual(['hello.json']);
    });

    it('are judged though one package describes its tests in a way that cannot be read', async () => {
        writePackage('first/flags', 'one');
        write('first/flags/data/secret/testdata.yaml', 'output_validator_flags: [[1]]\n');
        writePackage('first/broken', 'one');
        write('first/broken/data/secret/testdata.yaml', 'on_reject: [\n');
        const { code, stderr } = await start('first');
        expect([code, stderr]).toEqual([0, '']);
        const read = (name: string): unknown => JSON.parse(readFileSync(join(cwd, 'out', name), 'utf8'));
        expect(read('hello.json')).toMatchObject({ progress: { is_complete: true } });
        expect(JSON.stringify(read('flags.json'))).toMatch(
            /testdata\.yaml: output_validator_flags\[0\]: expected text/,
        );
        expect(JSON.stringify(read('broken.json'))).toMatch(/testdata\.yaml: not valid YAML/);
        // Naming it alone is an error.
        const alone = await callCli(['first/flags', '--dir', 'alone', '-q'], { cwd });
        expect([alone.code, alone.stderr]).toEqual([2, expect.stringMatching(/output_validator_flags/)]);
    });
});
