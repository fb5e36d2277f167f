import { describe, expect, it } from 'vitest';
import { parseCheckpoint, parseRawFile } from '../../src/checkpoint/result-file/parse.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { Json } from '../../src/model/json.js';
import { briefTasksOfCheckpoint, buildRecords } from '../../src/results/collect/checkpoint-records.js';
import { isBriefField, type ResultRecord } from '../../src/results/record/record.js';

function parse(json: Json): Checkpoint {
    const raw = parseRawFile(json);
    if (typeof raw === 'string') throw new Error(raw);
    const parsed = parseCheckpoint(raw, null, { size: 0, mtime: '0', inode: '0' });
    if (parsed.kind !== 'checkpoint') throw new Error(JSON.stringify(parsed));
    return parsed.checkpoint;
}

/** Whole records; brief ones must be the same with fewer fields. */
function take(checkpoint: Checkpoint, run: string): ResultRecord[] {
    const records = [...buildRecords(checkpoint, run)];
    const brief = Array.from(briefTasksOfCheckpoint(checkpoint, run), ({ record }) => record);
    const shortened = records.map((record) =>
        Object.fromEntries(Object.entries(record).filter(([name]) => isBriefField(name))),
    );
    expect(brief).toEqual(shortened);
    return records;
}

const attempt = (more: object) => ({
    attempt: 1,
    started_at: '2026-11-29T08:00:00.000Z',
    duration: 2.5,
    api_used: 'local',
    worker_id: 'thread-1',
    ...more,
});

const test = (more: object) => ({
    passed: true,
    cpu_time: 1,
    wall_time: 1,
    memory: 100,
    exec_info: {},
    ...more,
});

const file = (more: { readonly [key: string]: Json }): Json => ({
    id: 'a/1',
    progress: { total_solutions: 2, completed_solutions: 1, is_complete: false },
    ...more,
    run: 'run-7',
});

describe('the records of a result file', () => {
    it('are a row for each finished task and for each that was given up', () => {
        const checkpoint = parse(
            file({
                solution_result: [
                    {
                        index: 1,
                        language: 'CPP',
                        solution: 'x',
                        result: {
                            accepted: false,
                            verdict: 'WrongAnswer',
                            tests: [
                                test({ cpu_time: 3, memory: 50 }),
                                test({ passed: false, verdict: 'WrongAnswer', cpu_time: null }),
                            ],
                        },
                        attempts: [attempt({ failure: 'sandbox' }), attempt({ verdict: 'WrongAnswer' })],
                        fingerprint: 'f1',
                        occurrence: 2,
                        revision: 4,
                    },
                ],
                failures: [
                    {
                        group: 'solution',
                        index: 0,
                        fingerprint: 'f0',
                        reason: 'endpoint',
                        message: 'HTTP 503',
                        attempts: [attempt({ failure: 'endpoint' })],
                        revision: 2,
                    },
                ],
            }),
        );
        const [finished, failed] = take(checkpoint, 'unused');
        expect(finished).toMatchObject({
            run: 'run-7',
            sample: 'a/1',
            group: 'solution',
            fingerprint: 'f1',
            occurrence: 2,
            revision: 4,
            index: 1,
            verdict: 'WrongAnswer',
            accepted: false,
            success_level: 'failure',
            expected: ['Accepted'],
            cpu_time: 3,
            memory: 100,
            wall_time: 2.5,
            attempts: 2,
            finished_at: '2026-11-29T08:00:02.500Z',
            failure_reason: null,
        });
        expect(failed).toMatchObject({
            revision: 2,
            verdict: null,
            accepted: null,
            success_level: null,
            failure_reason: 'endpoint',
            failure_message: 'HTTP 503',
        });
    });

    it('take what a result says of itself, under our names or the earlier ones, and nothing of a wrong type', () => {
        const result = {
            accepted: false,
            verdict: 'WrongAnswer',
            success_level: 'partial_success',
            model: 'm-1',
            tool_reliability: 80,
            tool_calls: ['a', 'b'],
            test_instance: 3,
            turns: 'many',
            cost: 0.25,
            finish_reason: 'length',
            quality_score: null,
            final_score: 0,
            revision: 99,
            sample: 'forged',
            dimensions: { seed: 1 },
        };
        const entry = { index: 0, result, attempts: [attempt({ verdict: 'WrongAnswer' })], fingerprint: 'f' };
        const [record] = take(parse(file({ solution_result: [entry] })), '');
        expect(record).toMatchObject({
            sample: 'a/1',
            revision: 1,
            success_level: 'partial',
            model: 'm-1',
            model_raw: 'm-1',
            tool_success_rate: 0.8,
            tool_calls: 2,
            instance: '3',
            turns: null,
            cost: 0.25,
            finish_reason: 'length',
            quality_score: null,
            final_score: 0,
            dimensions: '{"seed":1}',
        });
    });

    it('hold figures that no column could take as unknown', () => {
        const huge = JSON.parse('1e999') as number;
        const entry = {
            index: 0,
            language: 'CPP',
            result: {
                accepted: true,
                verdict: 'Accepted',
                tests: [test({ cpu_time: huge, memory: 1e300 })],
            },
            attempts: [attempt({ verdict: 'Accepted', duration: huge, started_at: 'yesterday' })],
            fingerprint: 'f',
        };
        const [record] = take(parse(file({ solution_result: [entry] })), '');
        expect(record).toMatchObject({
            cpu_time: null,
            memory: null,
            wall_time: 1,
            started_at: null,
            finished_at: null,
        });
    });

    it('of the earlier tools are known by their source, equal ones by their order, and unjudged ones are left out', () => {
        const entry = (solution: string, accepted: boolean | null) => ({
            language: 'PYTHON',
            solution,
            result: {
                accepted,
                tests: [
                    { passed: accepted, exec_info: { run_result: { status: 'Finished', return_code: 0 } } },
                ],
            },
        });
        const list = [entry('a', true), entry('b', false), entry('a', true), entry('c', null)];
        const checkpoint = parse({ id: 'old', solution_result: list });
        const records = take(checkpoint, 'earlier-1');
        expect(records.map((one) => [one.run, one.verdict, one.occurrence])).toEqual([
            ['earlier-1', 'Accepted', 0],
            ['earlier-1', 'WrongAnswer', 0],
            ['earlier-1', 'Accepted', 1],
        ]);
        const prints = records.map((one) => one.fingerprint);
        expect(prints[0]).toMatch(/^source-sha256-/);
        expect(prints[2]).toBe(prints[0]);
        expect(prints[1]).not.toBe(prints[0]);
        expect(take(checkpoint, 'earlier-1')).toEqual(records);
    });
});
