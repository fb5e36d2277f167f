import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadCatalog, loadCommands } from '../../src/commands/registry.js';
import { buildConfigJsonSchema } from '../../src/config/config-file-schema.js';
import { findUnknownVariables } from '../../src/config/layers.js';
import { isConfigKey, isRestored, type OptionSpec } from '../../src/config/option.js';
import { RUN_OPTIONS } from '../../src/config/run-options.js';
import { renderOptionsPage } from '../../src/config/options-page.js';
import { DATASET_FORMATS } from '../../src/dataset/registry.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('what is made from the table of options (npm run generate)', () => {
    it('resume-run.config.schema.json is current', async () => {
        expect(JSON.parse(read('resume-run.config.schema.json'))).toEqual(
            buildConfigJsonSchema(await loadCatalog()),
        );
    });

    it('docs/options.md is current', async () => {
        const commands = (await loadCommands()).map(({ name, command }) => ({
            name,
            options: command.options,
        }));
        expect(read('docs/options.md')).toBe(renderOptionsPage(RUN_OPTIONS, commands));
    });

    it('.env.example names options that there are', async () => {
        const lines = read('.env.example').replaceAll(/^# (?=[A-Z_]+=)/gm, '');
        const variables = parseEnv(lines);
        expect(Object.keys(variables).length).toBeGreaterThan(5);
        expect(await findUnknownVariables(RUN_OPTIONS, variables, loadCatalog)).toEqual([]);
    });

    it('--format takes the formats that there are', () => {
        expect([...RUN_OPTIONS.format.choices].sort()).toEqual(Object.keys(DATASET_FORMATS).sort());
    });

    it('no two options of a command share a name or an alias', async () => {
        for (const { name, command } of await loadCommands()) {
            const names = Object.entries(command.options).flatMap(([option, { aliases = [] }]) => [
                option,
                ...aliases,
            ]);
            expect([name, new Set(names).size]).toEqual([name, names.length]);
        }
    });

    it('an option that a config file or run.json holds means the same to every command', async () => {
        const meanings = new Map<string, OptionSpec>();
        for (const { name, command } of await loadCommands()) {
            for (const [option, spec] of Object.entries(command.options)) {
                if (!isConfigKey(spec) && !isRestored(spec)) continue;
                expect([name, option, spec]).toEqual([name, option, meanings.get(option) ?? spec]);
                meanings.set(option, spec);
            }
        }
        expect(meanings.size).toBeGreaterThan(30);
    });
});
