import { existsSync } from 'node:fs';
import type { CheckOptions } from '../checkpoint/upkeep/check.js';
import type { Finding } from '../checkpoint/upkeep/finding.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { print, printRaw, tell } from '../compose/output.js';
import { escapeLine } from '../util/printable.js';
import { chooseCheckpointsFolder } from '../config.js';
import { type ExitCode, UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'check [--dir <dir>] [--fix] [--json]',
    about: 'Reads every file of a results directory and lists what is torn, duplicated, misplaced or left over',
    options: {
        ...DIRECTORY_OPTIONS,
        ...JSON_OPTION,
        fix: {
            kind: 'flag',
            default: false,
            group: 'Running',
            about: 'Repair what can be repaired (takes the lock; nothing finished is destroyed)',
            decides: 'run',
            only: 'command line',
        },
        'take-over': RUN_OPTIONS['take-over'],
    },
    examples: [{ line: 'resume-run check --dir results --fix', about: 'After a crash of the machine' }],
    run: async ({ values: { dir, checkpoints, fix, 'take-over': takeOver, json } }) => {
        const checkpointsDir = chooseCheckpointsFolder(dir, checkpoints);
        await requireResults(dir, checkpointsDir);
        const { acquireLock, findLivingHolders } = await import('../host/lock.js');
        const { DirectoryReader } = await import('../compose/directory/directory-reader.js');
        const { known } = await new DirectoryReader(
            { dir, checkpoints: checkpointsDir },
            { onNotice: tell, again: false },
        ).readRun();
        const samples = known === null ? null : new Set(known.ids());
        if (!fix) {
            const living = await findLivingHolders(checkpointsDir);
            return showFindings(
                { dir, checkpointsDir, living, holdsLock: false, samples },
                () => Promise.resolve(null),
                json,
            );
        }
        const { fixFinding } = await import('../checkpoint/upkeep/fix.js');
        const { isFixable } = await import('../checkpoint/upkeep/finding.js');
        const lock = await acquireLock({ checkpointsDir, dir, shard: null, takeOver, onNotice: tell });
        try {
            const living = new Set([lock.id]);
            const options = { dir, checkpointsDir, living, holdsLock: true, holder: lock.id, samples };
            const repair = async (finding: Finding): Promise<string | null> => {
                if (!isFixable(finding)) return null;
                await lock.verify();
                return await fixFinding(finding, options);
            };
            return await showFindings(options, repair, json);
        } finally {
            await lock.release();
        }
    },
});

/**
 * Refuses a missing directory, as otherwise a mistyped name would look like a directory without problems.
 * @throws UserError (exit 2) if the directory does not exist, unless all of it was archived
 */
async function requireResults(dir: string, checkpointsDir: string): Promise<void> {
    if (existsSync(dir)) return;
    const { ArchiveList } = await import('../checkpoint/upkeep/archive-list.js');
    const [archived] = (await ArchiveList.load(checkpointsDir)).ids();
    if (archived === undefined)
        throw new UserError(`there is no results directory ${dir}: nothing to check; name it with --dir`);
}

/**
 * @param repair what was done about a finding; null: nothing
 * @returns exit code 1 if a finding is left that a person should look at
 */
async function showFindings(
    options: CheckOptions,
    repair: (finding: Finding) => Promise<string | null>,
    json: boolean,
): Promise<ExitCode> {
    const { checkDirectory } = await import('../checkpoint/upkeep/check.js');
    const { describeFinding, isFixable, chooseSeverity } = await import('../checkpoint/upkeep/finding.js');
    let found = 0;
    let fixed = 0;
    let open = 0;
    for await (const finding of checkDirectory(options)) {
        const severity = chooseSeverity(finding);
        const done = await repair(finding);
        found += 1;
        if (done !== null) fixed += 1;
        else if (severity !== 'info') open += 1;
        const message = describeFinding(finding);
        if (json)
            printRaw(
                JSON.stringify({ ...finding, severity, fixable: isFixable(finding), fixed: done, message }),
            );
        else print(escapeLine(`${severity}: ${message}${done === null ? '' : ` (${done})`}`));
    }
    if (!json)
        print(found === 0 ? escapeLine(`${options.dir}: nothing wrong`) : summarize(found, fixed, open));
    return open > 0 ? 1 : 0;
}

function summarize(found: number, fixed: number, open: number): string {
    const left = open === 0 ? 'none left to look at' : `${open} left to look at`;
    return `${found} ${found === 1 ? 'problem' : 'problems'} found, ${fixed} repaired, ${left}`;
}
