import { DATABASE_OPTIONS } from '../config/run-options/collecting.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { escapeLine } from '../util/printable.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'migrate --to parquet|json [--database <dir>] | migrate --rollback [--database <dir>]',
    about:
        'Converts a results database to the other format. The old parts are kept, each new one is read back and compared record ' +
        'by record before it counts, and after a kill the same command goes on',
    options: {
        to: {
            kind: 'choice',
            choices: ['json', 'parquet'],
            default: null,
            group: 'Results database',
            about: 'Format to convert to',
            decides: 'run',
            only: 'command line',
        },
        rollback: {
            kind: 'flag',
            default: false,
            group: 'Results database',
            about: 'Go back to the parts from before the last migration',
            decides: 'run',
            only: 'command line',
        },
        database: DATABASE_OPTIONS.database,
        'take-over': RUN_OPTIONS['take-over'],
        config: RUN_OPTIONS.config,
        ...JSON_OPTION,
    },
    examples: [
        {
            line: 'resume-run migrate --to parquet --database database',
            about: 'Smaller, and quicker to query',
        },
        { line: 'resume-run migrate --rollback', about: 'As it was before' },
    ],
    run: async ({ values: { to, rollback, database, 'take-over': takeOver, json } }) => {
        if ((to === null) === !rollback)
            throw new UserError('migrate takes --to parquet, --to json or --rollback: give one of them');
        const [
            { openStore },
            { print, printRaw, warn, tell },
            { count, formatCount: counted },
            { readManifest },
        ] = await Promise.all([
            import('../results/store/open-store.js'),
            import('../compose/output.js'),
            import('../report/format.js'),
            import('../results/store/manifest.js'),
        ]);
        if ((await readManifest(database)) === null)
            throw new UserError(
                `there is no database in ${database}: create one with \`resume-run collect --from results\``,
            );
        const store = await openStore({
            dir: database,
            storage: null,
            takeOver,
            converts: true,
            onNotice: warn,
        });
        try {
            // Prints text for people, or the outcome as one JSON value.
            const say = (done: object, text: string): void =>
                json ? printRaw(JSON.stringify({ database, ...done })) : print(text);
            if (to === null) {
                const storage = await store.rollBackMigration();
                say({ storage, rolled_back: true }, escapeLine(`${database} is ${storage} again`));
                return 0;
            }
            const onProgress = (done: number, all: number): void =>
                tell(`${count(done)} of ${counted(all, 'record')} converted and compared`);
            const records = await store.migrate(to, onProgress);
            say(
                { storage: to, records },
                records === 0
                    ? escapeLine(`${database} is ${to} already`)
                    : `${counted(records, 'record')} converted to ${to}; --rollback brings the old parts back`,
            );
            return 0;
        } finally {
            await store.close();
        }
    },
});
