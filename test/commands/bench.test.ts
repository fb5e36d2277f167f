import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { drawModes } from '../../src/report/mode-plot.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

it('bench modes compares the three modes on this machine, with no key and no network', async () => {
    const cwd = tempDir();
    const small = '--requests 6 --at-once 2 --latency 5'.split(' ');
    const end = await callCli(['bench', 'modes', '--quick', '--json', ...small], { cwd });
    expect(end.code, end.stderr).toBe(0);
    const { load, ideal, modes, svg } = JSON.parse(end.stdout);
    expect(load).toEqual({ requests: 6, concurrency: 2, latency: 5 });
    expect(ideal).toBe(400);
    expect(modes.map(({ mode }: { mode: string }) => mode)).toEqual(['async', 'thread', 'process']);
    for (const one of modes) {
        expect(one.throughput).toBeGreaterThan(0);
        expect(one.throughput).toBeLessThan(ideal);
        // Node alone takes tens of megabytes, and hundredths of a second to start.
        expect(one.memory).toBeGreaterThan(30e6);
        expect(one.cpu).toBeGreaterThan(0.05);
    }
    const [async, , process] = modes;
    expect(process.memory).toBeGreaterThan(async.memory);
    expect(svg).toBe(join(cwd, 'bench-modes.svg'));
    expect(readFileSync(svg, 'utf8')).toContain('6 requests, 2 at once, answered after 5 ms');
    const wrong = await callCli(['bench', 'everything'], { cwd });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('expected bench modes') });
});

it('the plot of modes holds their figures, and says what was not measured', () => {
    const svg = drawModes('a <load>', [
        { mode: 'async', throughput: 10, cpu: 1.5, memory: 5e7 },
        { mode: 'process', throughput: 5, cpu: null, memory: null },
    ]);
    expect(svg).toContain('a &lt;load&gt;');
    expect([...svg.matchAll(/>([\d.]+)<\/text>/g)].map(([, text]) => text)).toEqual([
        '10.0',
        '5.0',
        '1.50',
        '50',
    ]);
    expect(svg.match(/not measured/g)).toHaveLength(2);
    const widths = [...svg.matchAll(/<rect [^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths[0]).toBeCloseTo(2 * (widths[1] ?? 0), 0);
});
