import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sweep } from '../../src/host/sweep.js';
import { compiled } from './compiled.js';
import { place, scratch } from './rig.js';

const SAMPLES = ['p/0', 'p/1', 'p/2'];
const TASKS = 400;

/** Commits results to three samples until it is killed, and prints each one that is on disk. */
const COMMITTER = `
    import { closeSync, openSync, writeSync } from 'node:fs';
    import { createFileStore } from ${JSON.stringify(compiled('checkpoint/file-store.js'))};
    import { FileNames } from ${JSON.stringify(compiled('checkpoint/result-file/names.js'))};
    import { makeHolderId } from ${JSON.stringify(compiled('host/staging-name.js'))};

    const [root, free] = process.argv.slice(1);
    const hogs = [];
    // Leaves only so many descriptors as \`free\` says.
    try {
        while (free !== '') hogs.push(openSync('/dev/null'));
    } catch {
        for (const hog of hogs.splice(0, Number(free))) closeSync(hog);
    }
    const ids = ${JSON.stringify(SAMPLES)};
    const store = createFileStore({
        dir: root + '/results',
        checkpointsDir: root + '/checkpoints',
        holder: makeHolderId(),
        names: new FileNames(ids),
        onNotice: (message) => { throw new Error(message); },
    });
    let stopping = false;
    process.on('SIGTERM', () => { stopping = true; });
    process.on('SIGXFSZ', () => {});

    async function work(id) {
        const read = await store.read(id);
        const kept = (read?.entries.get('solution') ?? []).map((stored) => ({
            group: 'solution', index: stored.entry.index, fingerprint: stored.entry.fingerprint, stored,
        }));
        const writer = store.open({
            id, totals: [['solution', ${TASKS}]], kept, superseded: [], failures: [], pending: [], skipped: [],
            computedLimits: null, retiredRevision: read?.retiredRevision ?? 0, origin: read?.origin ?? 'new', dirty: false,
        });
        const commits = [];
        const have = new Set(kept.map((entry) => entry.index));
        for (let index = 0; index < ${TASKS} && !stopping; index += 1) {
            if (have.has(index)) continue;
            const entry = {
                index, solution: 'x'.repeat(1500), result: { accepted: true, verdict: 'Accepted' }, fingerprint: 'f' + index,
                attempts: [{ attempt: 1, verdict: 'Accepted', started_at: 'now', duration: 1, api_used: 'local', worker_id: 'w' }],
            };
            commits.push(writer.commit('solution', entry, { apiUsed: 'local', workerId: 'w' })
                .then(() => writeSync(1, id + ' ' + index + '\\n')));
            commits.at(-1).catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await Promise.all(commits);
        await writer.close();
    }
    try {
        await Promise.all(ids.map(work));
        writeSync(1, 'done\\n');
    } catch (error) {
        writeSync(1, 'failed ' + error.name + ' ' + error.message + '\\n');
        process.exitCode = 4;
    }
`;

interface End {
    readonly acknowledged: readonly string[];
    readonly said: readonly string[];
    readonly code: number | null;
}

/** Runs the committer, sends it `signal` after some acknowledged results, and returns what it printed. */
function run(
    root: string,
    signal: NodeJS.Signals | null,
    after: number,
    limits = 'true',
    free = '',
): Promise<End> {
    const shell = `${limits}; exec "$0" --input-type=module -e "$1" "$2" "$3"`;
    const child = spawn('sh', ['-c', shell, process.execPath, COMMITTER, root, free], {
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
        output += data.toString();
        // Once only: a second signal may arrive after Node has removed its handlers.
        if (signal !== null && !child.killed && output.split('\n').length > after) child.kill(signal);
    });
    return new Promise((resolve) => {
        child.once('close', (code) => {
            const said = output.split('\n').filter((line) => line !== '');
            resolve({ said, acknowledged: said.filter((line) => /^p\/\d \d+$/.test(line)), code });
        });
    });
}

async function onDisk(root: string): Promise<Set<string>> {
    const store = place(SAMPLES, root).store({ readOnly: true });
    const found = new Set<string>();
    for (const id of SAMPLES) {
        const read = await store.read(id);
        for (const stored of read?.entries.get('solution') ?? []) {
            expect(stored.entry).toMatchObject({
                fingerprint: `f${stored.entry.index}`,
                solution: 'x'.repeat(1500),
            });
            found.add(`${id} ${stored.entry.index}`);
        }
    }
    return found;
}

describe('a run that is ended', () => {
    it('by kill -9 has every acknowledged result on disk, again and again until all is done', async () => {
        const root = scratch();
        const acknowledged = new Set<string>();
        let rounds = 0;
        for (let done = false; !done; rounds += 1) {
            const end = await run(root, 'SIGKILL', 40 + rounds * 37);
            // Each round gets further than the one before; without progress the loop would never end.
            expect(end.said.length, `round ${rounds}, exit code ${end.code}`).toBeGreaterThan(0);
            for (const line of end.acknowledged) {
                expect(acknowledged.has(line), `${line} ran twice`).toBe(false);
                acknowledged.add(line);
            }
            const found = await onDisk(root);
            for (const line of acknowledged) expect(found.has(line), `${line} was acknowledged`).toBe(true);
            // Written but not acknowledged before the kill: it counts as finished too.
            for (const line of found) acknowledged.add(line);
            done = end.said.includes('done');
        }
        expect(rounds).toBeGreaterThan(3);
        expect(acknowledged.size).toBe(SAMPLES.length * TASKS);
        await sweep([join(root, 'results')], () => Promise.resolve(new Set()));
        expect(readdirSync(join(root, 'results'))).toEqual(['p_0.json', 'p_1.json', 'p_2.json']);
    });

    it('by SIGTERM that it handles saves what it has, in spite of write-file-atomic’s own handlers', async () => {
        for (let round = 0; round < 5; round += 1) {
            const root = scratch();
            const end = await run(root, 'SIGTERM', 20 + round * 31);
            expect(end.code).toBe(0);
            expect(end.said.at(-1)).toBe('done');
            const found = await onDisk(root);
            expect([...end.acknowledged].sort()).toEqual([...found].sort());
            expect(readdirSync(join(root, 'results')).filter((name) => name.includes('.tmp'))).toEqual([]);
        }
    });

    it('by a file-size limit keeps the old file and says why', async () => {
        const root = scratch();
        // In blocks of 512 bytes or 1 KiB, depending on the shell.
        const end = await run(root, null, 0, 'ulimit -f 300');
        expect(end.code).toBe(4);
        expect(end.said.at(-1)).toMatch(/^failed WriteError cannot write .*p_\d\.json/);
        const found = await onDisk(root);
        for (const line of end.acknowledged) expect(found.has(line)).toBe(true);
        expect(readFileSync(join(root, 'results', 'p_0.json'), 'utf8').endsWith('}\n')).toBe(true);
        expect(readdirSync(join(root, 'results')).filter((name) => name.includes('.tmp'))).toEqual([]);
    });

    it('is not ended by a small limit of open files', async () => {
        const root = scratch();
        const end = await run(root, null, 0, 'ulimit -n 256', '2');
        expect(end.said.at(-1)).toBe('done');
        expect(await onDisk(root)).toEqual(new Set(end.acknowledged));
    });
});
