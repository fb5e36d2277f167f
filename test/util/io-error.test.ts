import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeIoError } from '../../src/util/io-error.js';
import { mountTmpfs } from '../crash/mounts.js';
import { tempDir } from '../rig/cli.js';

function reasonOfWriting(path: string): string {
    try {
        writeFileSync(path, 'x');
        return 'written';
    } catch (error) {
        return describeIoError(error);
    }
}

it('tells a file system without free inodes from a full one', (context) => {
    let disk: string;
    try {
        disk = mountTmpfs(tempDir(), '1m,nr_inodes=3').path;
    } catch (error) {
        console.error(`skipped, this cannot be mounted here: ${String(error)}`);
        return context.skip('no mount');
    }
    const reasons = [1, 2, 3].map((n) => reasonOfWriting(join(disk, `${n}`)));
    expect(reasons).toContain('written');
    expect(reasons.at(-1)).toContain('no free inodes');
});
