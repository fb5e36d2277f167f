import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { ChatServer } from '../rig/servers/chat-server.js';

const server = new ChatServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

/** A folder with two rows and prices, and a command that searches for each row with this engine. */
function searching(engine: string, prices = 'prices.json') {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'q.jsonl'), '{"prompt": "one"}\n{"prompt": "two"}\n');
    writeFileSync(
        join(cwd, 'prices.json'),
        JSON.stringify({
            date: '2026-11-01',
            models: { m: { input: 0, output: 1000 } },
            searches: { known: 0.25 },
        }),
    );
    const args = ['q.jsonl', '--executor', 'chat', '--model', 'm', '--endpoint', server.url].concat(
        ['--max-tokens', '10', '--web-search', '--search-engine', engine],
        ['--prices', prices],
    );
    return (...more: string[]) => callCli([...args, ...more], { cwd });
}

const UNKNOWN =
    'the price of a search by other is unknown, so --max-cost does not count searches: add it under "searches" in the --prices file';

it('says at the start that searches without a price are not counted, and names them in an estimate', async () => {
    const search = searching('other');
    const planned = await search('--dry-run');
    expect(planned.stdout).toContain(
        'estimate  4 requests, about 26 tokens of prompts, at most 20 tokens of answers; at most $0.0200 without searches by other, whose price is unknown (--prices)',
    );
    expect(planned.stderr).not.toContain(UNKNOWN);
    const run = await search('--max-cost', '1');
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.split(UNKNOWN)).toHaveLength(2);
    expect(run.stdout).toContain('the price of 2 searches is unknown');
    expect(server.requests.filter(({ call }) => call === 'search')).toHaveLength(2);
});

it('counts them in estimates where they have one', async () => {
    const search = searching('known');
    const planned = await search('--dry-run', '--max-cost', '1');
    expect(planned.stdout).toContain('at most $0.520');
    expect(planned.stderr).not.toContain('not known');
    const json = await search('--dry-run', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
        estimate: { cost: 0.52, searches: { count: 2, engine: 'known', cost: 0.5 } },
    });
});

it('refuses a price that is not a number', async () => {
    const bad = join(tempDir(), 'bad.json');
    writeFileSync(bad, JSON.stringify({ date: '2026-11-01', models: {}, searches: { known: 'much' } }));
    const run = await searching('known', bad)();
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('searches.known');
});
