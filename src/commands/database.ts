import { defineCommand } from './command.js';
import { DATABASE_WRITER_OPTIONS } from './database-options.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'database info|compact|backup [folder]|restore <folder>',
    about:
        'Maintains the results database: shows what it holds, joins its small parts, copies it into a new folder, or ' +
        'restores such a copy (the replaced database is kept beside it)',
    arguments: { min: 1, max: 2, what: 'info, compact, backup or restore, and a folder' },
    options: { ...DATABASE_WRITER_OPTIONS, ...JSON_OPTION },
    examples: [
        { line: 'resume-run database info', about: 'Records, parts, size' },
        { line: 'resume-run database backup', about: 'Into database.backup-<time>, beside the database' },
        { line: 'resume-run database restore database.backup-2026-11-29T03-21-57', about: 'Put it back' },
    ],
    run: async ({ values, positionals, cwd }) => {
        const { runDatabase } = await import('./run-database.js');
        return runDatabase(values, positionals, cwd);
    },
});
