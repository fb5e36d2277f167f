import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { startCli } from '../cli.js';

it('starts a run that takes hours', async () => {
    const cwd = process.env['INTERRUPTED_CWD'] ?? '';
    writeFileSync(join(cwd, 'rows.jsonl'), `${JSON.stringify({ id: 'a', groups: { it: [1] } })}\n`);
    const command = ['sh', '-c', 'touch started; exec sleep 86.4e3'];
    const { result } = startCli(['rows.jsonl', '--dir', 'res', '--executor', 'exec', '--', ...command], {
        cwd,
    });
    await result;
});
