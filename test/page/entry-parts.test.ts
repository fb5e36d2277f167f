import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunFile } from '../../src/checkpoint/run-directory/run-file.js';
import { listFingerprints } from '../../src/compose/directory/datasets-of-run.js';
import { makeAskedReader } from '../../src/compose/page/asked-of-model.js';
import { FailedTestTexts } from '../../src/compose/page/failed-test-texts.js';
import type { StoredEntry } from '../../src/model/checkpoint.js';
import type { EntryDetail } from '../../src/model/page-data.js';
import { describeEntry } from '../../src/report/html/entry-detail.js';
import { folderWith, loadAll, openOne } from '../dataset/rig.js';

type PageEntry = StoredEntry['entry'];

/** An entry as a result file holds it. */
const makeEntry = (result: object, more: object = {}): PageEntry =>
    ({ index: 0, attempts: [], fingerprint: null, result, ...more }) as object as PageEntry;

const makeRun = (options: object): RunFile => ({ options, datasets: [] }) as object as RunFile;

describe('the long parts of an entry', () => {
    it('holds the scores of test groups, and what an interactive program and its validator said', () => {
        const test = {
            passed: false,
            name: 'secret/2',
            verdict: 'WrongAnswer',
            cpu_time: 0.1,
            wall_time: 0.1,
            memory: 1,
            score: 0,
            exec_info: { status: 'Success', transcript: '< 5\n> 7\n', transcript_cut: 90 },
        };
        const groups = [{ name: 'secret', verdict: 'WrongAnswer', score: 30 }];
        expect(describeEntry(makeEntry({ score: 30, best_score: 100, groups, tests: [test] }))).toMatchObject(
            {
                points: { score: 30, best: 100 },
                testGroups: [{ name: 'secret', verdict: 'WrongAnswer', score: 30 }],
                tests: [['WrongAnswer', 0.1, 1, 'secret/2', 0]],
                failure: { transcript: { text: '< 5\n> 7\n', cutFrom: 90 } },
            },
        );
    });

    it('holds what a model was asked: its row in the templates of the run, or the conversation in its file', async () => {
        const sha256 = 'a'.repeat(64);
        const messages = [{ role: 'user', content: 'Add 2.' }];
        const dir = await folderWith({ [`.outputs/${sha256}`]: JSON.stringify(messages) });
        const run = makeRun({
            executor: 'chat',
            system: 'Be short.',
            'prompt-template': 'Capital of {country}? {search_results}',
        });
        const read = makeAskedReader(dir, run);
        const at = { sample: 'a', group: 'main' };
        const entry = makeEntry({ answer: 'Paris' }, { row: { country: 'France' } });
        const asked = read(entry, at);
        expect(describeEntry(entry, asked).chat).toMatchObject({
            turns: [
                { role: 'system', text: { text: 'Be short.' } },
                { role: 'user', text: { text: 'Capital of France? {search_results}' } },
            ],
            answer: { text: 'Paris' },
        });
        expect(
            makeAskedReader(dir, makeRun({ executor: 'exec', 'prompt-template': 'x' }))(entry, at),
        ).toEqual([]);
        const file = (name: string): PageEntry =>
            makeEntry({ messages_file: { path: `.outputs/${name}`, bytes: 9, sha256: name } });
        expect(read(file(sha256), at)).toEqual(messages);
        mkdirSync(join(dir, '.outputs', 'b'.repeat(64)));
        writeFileSync(join(dir, '.outputs', 'c'.repeat(64)), '{"not": "a list"');
        for (const name of ['b'.repeat(64), 'c'.repeat(64), 'd'.repeat(64), '../../etc/passwd'])
            expect(read(file(name), at)).toEqual([]);
    });

    it('gets the failing test of the dataset, unless that judges otherwise now or is gone', async () => {
        const row = {
            id: 'double',
            tests: [{ input: '2', output: '4' }],
            solutions: [],
            incorrect_solutions: [{ language: 'PYTHON3', source: `print(${'5'.repeat(9)})` }],
        };
        const folder = await folderWith({ 'problems.jsonl': `${JSON.stringify(row)}\n` });
        const [sample] = await loadAll(await openOne(join(folder, 'problems.jsonl')));
        if (sample === undefined) throw new Error('no sample');
        const run = makeRun({});
        const texts = new FailedTestTexts(run, async (id) => (id === 'double' ? sample : null));
        const fingerprint = listFingerprints(run, sample)[0]?.['incorrect_solution']?.[0] ?? '';
        const detail: EntryDetail = {
            attempts: [],
            fingerprint,
            failure: { position: 1, name: '', verdict: 'WrongAnswer' },
        };
        const task = { group: 'incorrect_solution', index: 0 };
        expect(await texts.addTo(detail, 'double', task)).toMatchObject({
            failure: { input: { text: '2' }, expectedOutput: { text: '4' } },
        });
        const edited = { ...detail, fingerprint: 'v1-sha256-other' };
        expect(await texts.addTo(edited, 'double', task)).toBe(edited);
        expect(await texts.addTo(detail, 'gone', task)).toBe(detail);
    });
});
