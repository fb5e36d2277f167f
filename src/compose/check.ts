import { type CheckOptions, checkDirectory as findAll } from '../checkpoint/check.js';
import { describeFinding, type Finding, isFixable, severityOf } from '../checkpoint/finding.js';
import { fixFinding } from '../checkpoint/fix.js';
import { acquireLock, livingHolders } from '../host/lock.js';
import type { ExitCode } from '../util/user-error.js';
import type { Place } from './place.js';

/** `resume-run check`: exit 1 if something is left that a person should look at. */
export async function checkDirectory(
    asked: Place & { fix: boolean; takeOver: boolean; json: boolean },
): Promise<ExitCode> {
    const { dir, checkpoints: checkpointsDir } = asked;
    const print = (text: string): void => void process.stdout.write(`${text}\n`);
    if (!asked.fix) {
        const living = await livingHolders(checkpointsDir);
        return await report({ dir, checkpointsDir, living }, () => Promise.resolve(null), asked.json, print);
    }
    const onNotice = (message: string): void => void process.stderr.write(`${message}\n`);
    const { takeOver } = asked;
    const lock = await acquireLock({ checkpointsDir, dir, shard: null, takeOver, onNotice });
    try {
        const options = { dir, checkpointsDir, living: new Set([lock.id]), holder: lock.id };
        const mend = async (finding: Finding): Promise<string | null> => {
            if (!isFixable(finding)) return null;
            await lock.verify();
            return await fixFinding(finding, options);
        };
        return await report(options, mend, asked.json, print);
    } finally {
        await lock.release();
    }
}

async function report(
    options: CheckOptions,
    mend: (finding: Finding) => Promise<string | null>,
    json: boolean,
    print: (text: string) => void,
): Promise<ExitCode> {
    let found = 0;
    let mended = 0;
    let open = 0;
    for await (const finding of findAll(options)) {
        const severity = severityOf(finding);
        const done = await mend(finding);
        found += 1;
        if (done !== null) mended += 1;
        else if (severity !== 'info') open += 1;
        const message = describeFinding(finding);
        print(
            json
                ? JSON.stringify({ ...finding, severity, fixable: isFixable(finding), fixed: done, message })
                : `${severity}: ${message}${done === null ? '' : ` (${done})`}`,
        );
    }
    if (!json) print(found === 0 ? `${options.dir}: nothing wrong` : summary(found, mended, open));
    return open > 0 ? 1 : 0;
}

function summary(found: number, mended: number, open: number): string {
    const left = open === 0 ? 'nothing left to look at' : `${open} left to look at`;
    return `${found} found, ${mended} mended, ${left}`;
}
