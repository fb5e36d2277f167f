/*
 * Generates the config file's JSON Schema and docs/options.md from the option tables of all commands. Run by `npm run generate`;
 * test/config/generated.test.ts fails if they are out of date.
 */
import { writeFileSync } from 'node:fs';
import { loadCatalog, loadCommands } from '../dist/commands/registry.js';
import { buildConfigJsonSchema } from '../dist/config/config-file-schema.js';
import { renderOptionsPage } from '../dist/config/options-page.js';
import { RUN_OPTIONS } from '../dist/config/run-options.js';

const root = new URL('../', import.meta.url);
writeFileSync(
    new URL('resume-run.config.schema.json', root),
    `${JSON.stringify(buildConfigJsonSchema(await loadCatalog()), null, 4)}\n`,
);
const commands = (await loadCommands()).map(({ name, command }) => ({ name, options: command.options }));
writeFileSync(new URL('docs/options.md', root), renderOptionsPage(RUN_OPTIONS, commands));
