import type { WorkerInfo } from '../backend/queue/messages.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import type { Cell, Column } from '../report/table.js';
import { escapeLine } from '../util/printable.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'workers --redis <url> [--json]',
    about: 'Lists the workers of a Redis: where they are, what they can run, what they do now and have done',
    options: {
        redis: RUN_OPTIONS.redis,
        'redis-password-file': RUN_OPTIONS['redis-password-file'],
        'redis-ca': RUN_OPTIONS['redis-ca'],
        config: RUN_OPTIONS.config,
        ...JSON_OPTION,
    },
    examples: [{ line: 'resume-run workers --redis redis://10.0.0.1:6379', about: 'Who works there' }],
    run: async ({ values, env }) => {
        if (values.redis === null)
            throw new UserError('workers needs --redis <url>, such as redis://10.0.0.1:6379');
        for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
        const [{ findWorkers }, { print, printRaw, describeStdout }, { renderTable }] = await Promise.all([
            import('../compose/queue/find-workers.js'),
            import('../compose/output.js'),
            import('../report/table.js'),
        ]);
        const workers = await findWorkers({
            address: values.redis,
            passwordFile: values['redis-password-file'],
            caFile: values['redis-ca'],
        });
        if (values.json) {
            printRaw(JSON.stringify(workers));
            return 0;
        }
        if (workers.length === 0) {
            print('No workers.');
            return 0;
        }
        const { width, style } = describeStdout();
        const rows = workers.map((worker) => rowOf(worker, Date.now()));
        print(renderTable(COLUMNS, rows, { width, paintTitle: style.dim }).join('\n'));
        for (const { id, refused } of workers) {
            for (const { id: run, why } of refused) {
                print(`${escapeLine(id)} does not serve run ${escapeLine(run)}: ${escapeLine(why)}`);
            }
        }
        return 0;
    },
});

const COLUMNS: readonly Column[] = [
    { title: 'host', align: 'left' },
    { title: 'pid', align: 'right' },
    { title: 'version', align: 'left' },
    { title: 'executors', align: 'left', atLeast: 10 },
    { title: 'sandbox', align: 'left' },
    { title: 'languages', align: 'left', atLeast: 12 },
    { title: 'in flight', align: 'right' },
    { title: 'taken ahead', align: 'right' },
    { title: 'done', align: 'right' },
    { title: 'failures', align: 'right' },
    { title: 'last seen', align: 'left' },
];

function rowOf(worker: WorkerInfo, now: number): Cell[] {
    const seconds = Math.max(0, Math.round((now - worker.seen) / 1000));
    return [
        escapeLine(worker.host),
        String(worker.pid),
        escapeLine(worker.version),
        escapeLine(worker.executors.join(', ')),
        escapeLine(worker.sandbox ?? ''),
        escapeLine(Object.keys(worker.toolchains).join(', ')),
        `${worker.inFlight}/${worker.slots}`,
        String(worker.takenAhead),
        String(worker.done),
        String(worker.failures),
        `${seconds} s ago${worker.isDraining ? ', draining' : ''}`,
    ];
}
