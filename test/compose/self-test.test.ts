import { expect, it } from 'vitest';
import { runSelfTest } from '../../src/compose/self-test.js';
import { patience } from '../rig/slowness.js';

it('the self-test judges, kills a run and resumes it, and tells what does not work', {
    timeout: patience(60_000),
}, async () => {
    // No current distribution has Python 2.
    const found = await runSelfTest(['PYTHON3', 'PYTHON'], 'auto');
    expect(found).toMatchObject([
        { name: 'PYTHON3', state: 'ok' },
        { name: 'PYTHON', state: 'problem', detail: expect.stringMatching(/^not judged: /) },
        {
            name: 'kill and resume',
            state: 'ok',
            detail: expect.stringMatching(
                /^killed with \d\d of 60 rows saved; the same command did the other \d\d$/,
            ),
        },
    ]);
});
