import { setTimeout as wait } from 'node:timers/promises';
import { chooseCheckpointsFolder } from '../config.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

const WATCH_MS = 2000;

/** Waits until it is time to look again: after an interval, or at once if the terminal has been resized. */
async function awaitNextLook(): Promise<void> {
    const resized = new AbortController();
    const wake = (): void => resized.abort();
    process.stdout.once('resize', wake);
    await wait(WATCH_MS, undefined, { signal: resized.signal }).catch(() => undefined);
    process.stdout.off('resize', wake);
}

export const command = defineCommand({
    usage: 'status [--dir <dir>] [--watch] [--json]',
    about: 'Shows the progress of a run from its files and its datasets, during it or after; takes no lock, changes nothing',
    options: {
        ...DIRECTORY_OPTIONS,
        ...JSON_OPTION,
        watch: {
            kind: 'flag',
            aliases: ['w'],
            default: false,
            group: 'What you see',
            about: 'Show it again every two seconds, until Ctrl-C',
            decides: 'display',
            only: 'command line',
        },
    },
    examples: [
        { line: 'resume-run status --dir results --watch', about: 'Follow a run from another terminal' },
        { line: 'resume-run status --json', about: 'For scripts' },
    ],
    run: async ({ values: { dir, checkpoints, watch, json } }) => {
        const [
            { readStatus },
            { DirectoryReader },
            { print, printRaw, printScreen, describeStdout, warn },
            { renderStatus, renderStatusJson: statusJson },
        ] = await Promise.all([
            import('../compose/directory/directory-status.js'),
            import('../compose/directory/directory-reader.js'),
            import('../compose/output.js'),
            import('../report/status.js'),
        ]);
        const place = { dir, checkpoints: chooseCheckpointsFolder(dir, checkpoints) };
        const reader = new DirectoryReader(place, { onNotice: warn, again: watch });
        for (;;) {
            const status = await readStatus(place, reader);
            const text = json ? statusJson(status) : renderStatus(status, describeStdout());
            if (json) printRaw(text);
            else if (watch && process.stdout.isTTY) printScreen(text);
            else print(text);
            if (!watch) return 0;
            await awaitNextLook();
        }
    },
});
