import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openMinuteFile } from '../../src/checkpoint/run-directory/minute-file.js';
import { tempDir } from '../rig/cli.js';

it('waits for no FIFO in its place, and writes through no link', () => {
    const dir = tempDir();
    execFileSync('mkfifo', [join(dir, 'minute.json')]);
    writeFileSync(join(dir, 'victim'), 'kept');
    symlinkSync(join(dir, 'victim'), join(dir, 'minute.json.tmp'));
    const file = openMinuteFile(dir, null);
    expect(file.read()).toBeNull();
    file.write('{"accounts":{}}');
    expect(file.read()).toBe('{"accounts":{}}');
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('kept');
    expect(openMinuteFile(dir, 2).read()).toBeNull();
});
