import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalog } from '../../src/commands/registry.js';
import { readConfigFile as read } from '../../src/config/read-config-file.js';
import { runs } from '../rig/long.js';

let cwd: string;
beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'resume-run-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const readConfigFile = (named: string | null, folder: string) => read(named, folder, loadCatalog);
const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text);

describe('config file', () => {
    it('may be missing', async () => {
        const { layer, datasets, path } = await readConfigFile(null, cwd);
        expect([layer.values.size, datasets, path]).toEqual([0, [], null]);
    });

    it('is JSON or YAML with the names of the options', async () => {
        write(
            'resume-run.config.yaml',
            'datasets: data/*.jsonl\ntimeout: 1000\nonly: [a, b]\nall-tests: true\n',
        );
        const yaml = await readConfigFile(null, cwd);
        expect(yaml.datasets).toEqual([join(cwd, 'data/*.jsonl')]);
        rmSync(join(cwd, 'resume-run.config.yaml'));
        write(
            'resume-run.config.json',
            '{\n\t"$schema": "x",\n\t"datasets": ["data/*.jsonl"], "timeout": 1000, "only": ["a", "b"], "all-tests": true\n}',
        );
        const json = await readConfigFile(null, cwd);
        expect(json.layer).toEqual(yaml.layer);
        expect(json.datasets).toEqual(yaml.datasets);
        expect(Object.fromEntries(json.layer.values)).toEqual({
            timeout: 1000,
            only: ['a', 'b'],
            'all-tests': true,
        });
    });

    it('has its paths relative to itself', async () => {
        write('c.yml', 'dir: out\nchecker: check.py\n');
        const { layer } = await readConfigFile(join(cwd, 'c.yml'), '/');
        expect(layer.values.get('dir')).toBe(join(cwd, 'out'));
        expect(layer.values.get('checker')).toEqual({ kind: 'program', path: join(cwd, 'check.py') });
    });

    const wrong: readonly (readonly [string, string, string])[] = [
        [
            'json',
            '{\n  "timout": 3\n}',
            "resume-run.config.json:2: unknown key 'timout' (did you mean timeout?)",
        ],
        [
            'yaml',
            'dir: a\ntimeout: soon\n',
            'resume-run.config.yaml:2: timeout: expected number, received string',
        ],
        [
            'yaml',
            'dir: a\n\nshard: 5/4\n',
            "resume-run.config.yaml:3: shard: expected i/n with i from 1 to n, such as 1/4, got '5/4'",
        ],
        [
            'yaml',
            'concurrency: 0\n',
            'resume-run.config.yaml:1: concurrency: Too small: expected number to be >=1',
        ],
        [
            'yaml',
            'config: other.yaml\n',
            "resume-run.config.yaml:1: 'config' can be given on the command line only",
        ],
        ['yaml', 'endpoint:\n  - url: http://h:1\n    tokn: x\n', 'resume-run.config.yaml:3: '],
        [
            'yaml',
            'languages:\n  CPP:\n    run: 3\n',
            'resume-run.config.yaml:3: languages.CPP.run: expected array',
        ],
        ['yaml', '- a\n', 'resume-run.config.yaml: expected an object'],
        ['yaml', 'a: 1\na: 2\n', 'resume-run.config.yaml:2: '],
        ['json', '{"timeout": ', 'resume-run.config.json:1: '],
        ['json', '{"__proto__": {"timeout": 3}}', "resume-run.config.json:1: unknown key '__proto__'"],
    ];
    it.each(wrong)('%s %j is refused with its place', async (extension, text, message) => {
        write(`resume-run.config.${extension}`, text);
        await expect(readConfigFile(null, cwd)).rejects.toThrow(message);
        await expect(readConfigFile(null, cwd)).rejects.toMatchObject({ exitCode: 2 });
    });

    it('is refused where there are two, or where the one named is missing', async () => {
        write('resume-run.config.json', '{}');
        write('resume-run.config.yml', '');
        await expect(readConfigFile(null, cwd)).rejects.toThrow('keep one of them');
        await expect(readConfigFile('none.json', cwd)).rejects.toThrow('--config: there is no file');
    });

    it('cannot grow by aliases', async () => {
        const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
        for (let i = 0; i < 8; i++) {
            const [name, before] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
            bomb.push(`${name}: &${name} [${`*${before},`.repeat(9).slice(0, -1)}]`);
        }
        write('resume-run.config.yaml', bomb.join('\n'));
        await expect(readConfigFile(null, cwd)).rejects.toMatchObject({ exitCode: 2 });
    });

    it('of any text is read or refused as the user’s mistake', async () => {
        const text = fc.oneof(
            fc.string(),
            fc.json(),
            fc.string({
                unit: fc.constantFrom(
                    'timeout',
                    ':',
                    '{',
                    '}',
                    '[',
                    ']',
                    '"',
                    ',',
                    '&a',
                    '*a',
                    '!',
                    '- ',
                    '\n',
                    ' ',
                    '\t',
                    '3',
                ),
            }),
        );
        await fc.assert(
            fc.asyncProperty(fc.constantFrom('json', 'yaml'), text, async (extension, content) => {
                write(`any.${extension}`, content);
                await readConfigFile(`any.${extension}`, cwd).catch((error: unknown) => {
                    expect(error).toMatchObject({ name: 'UserError', exitCode: 2 });
                    expect((error as Error).message).not.toContain('\n');
                });
            }),
            { numRuns: runs(500) },
        );
    });
});
