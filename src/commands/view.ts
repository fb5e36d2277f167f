import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { chooseCheckpointsFolder } from '../config.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import type { StopSignal } from '../model/stop.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

export const command = defineCommand({
    usage: 'view [dirs...] [--port <n>]',
    about:
        'Serves a page that shows runs in progress and finished ones, on this machine only unless told otherwise; reads ' +
        'files, changes nothing, never talks to a run',
    arguments: { min: 0, max: 100, what: 'results directories' },
    options: {
        checkpoints: RUN_OPTIONS.checkpoints,
        config: RUN_OPTIONS.config,
        port: {
            kind: 'integer',
            default: 0,
            defaultText: 'any free one',
            min: 0,
            max: 65_535,
            placeholder: '<n>',
            group: 'What you see',
            about: 'Port to serve the page on',
            decides: 'display',
            only: 'command line',
        },
        host: {
            kind: 'text',
            default: '127.0.0.1',
            placeholder: '<address>',
            group: 'What you see',
            about: "Address to serve the page on; another than this machine's own needs the token in the printed address",
            decides: 'display',
            only: 'command line',
        },
    },
    examples: [
        { line: 'resume-run view results', about: 'Watch a run, or look at a finished one' },
        { line: 'resume-run view results-a results-b', about: 'Compare two runs' },
    ],
    run: async ({ values: { checkpoints, port, host }, positionals, cwd }) => {
        const dirs = (positionals.length === 0 ? ['results'] : positionals).map((dir) => resolve(cwd, dir));
        if (dirs.length > 1 && checkpoints !== null)
            throw new UserError('--checkpoints names the folder of one results directory: name one');
        for (const dir of dirs) await requireFolder(dir);
        const [{ ViewServer }, { ViewedRun }, { readPageAssets }, { tell, warn }, { onInterrupt }] =
            await Promise.all([
                import('../compose/view/view-server.js'),
                import('../compose/view/viewed-run.js'),
                import('../compose/page-assets.js'),
                import('../compose/output.js'),
                import('../run/interrupt.js'),
            ]);
        const runs = dirs.map(
            (dir) => new ViewedRun({ dir, checkpoints: chooseCheckpointsFolder(dir, checkpoints) }, warn),
        );
        const server = new ViewServer(runs, await readPageAssets());
        const token = LOOPBACK.includes(host) ? null : randomBytes(24).toString('base64url');
        const bound = await server.listen(host, port, token);
        yieldToRuns();
        const shownHost = host.includes(':') ? `[${host}]` : host;
        tell(`http://${shownHost}:${bound}/${token === null ? '' : `?token=${token}`} (Ctrl-C ends it)`);
        const by = await new Promise<StopSignal>((done) => {
            const interrupt = onInterrupt((signal) => {
                interrupt.dispose();
                done(signal);
            }, process.stderr.isTTY);
        });
        await server.close();
        return by === 'SIGHUP' ? 129 : 0;
    },
});

/** Lowers the priority of this process, so that watching a run does not slow it down. */
function yieldToRuns(): void {
    try {
        setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
        // Some sandboxes forbid it; all processes then have the same priority.
    }
}

/** @throws UserError (exit 2) */
async function requireFolder(dir: string): Promise<void> {
    const stats = await stat(dir).catch(() => null);
    if (stats?.isDirectory() !== true)
        throw new UserError(`there is no directory ${dir}; give a results directory: resume-run view <dir>`);
}
