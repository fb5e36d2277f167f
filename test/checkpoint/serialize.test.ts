import { assert, jsonValue, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    serializeOnOneLine,
    serializeEntry,
    serializeFile,
} from '../../src/checkpoint/result-file/serialize.js';
import { entry } from './rig.js';

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();

describe('oneLine', () => {
    it('is JSON that reads back the same', () => {
        assert(
            property(jsonValue(), (value) => {
                const line = serializeOnOneLine(value);
                expect(line).not.toContain('\n');
                expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
            }),
        );
    });

    it('has a space after colon and comma', () => {
        expect(serializeOnOneLine({ a: 1, b: [2, { c: 'x' }], d: undefined })).toBe(
            '{"a": 1, "b": [2, {"c": "x"}]}',
        );
    });
});

describe('serializeFile', () => {
    const layout = {
        id: 'Codeforces/1575/A',
        apiUsed: 'local',
        workerId: 'thread-3',
        lists: [],
        computedLimits: null,
        retiredRevision: 0,
        run: null,
    };

    it('looks as documented', () => {
        const chunks = serializeFile({
            ...layout,
            groups: [
                { name: 'solution', total: 3, entries: [{ bytes: serializeEntry(entry(4, 'WrongAnswer')) }] },
                { name: 'incorrect_solution', total: 2, entries: [] },
            ],
            lists: [
                ['failures', [{ group: 'solution', index: 1 }]],
                ['pending', []],
            ],
            computedLimits: { time: 2, slowest: 0.5, group_fingerprint: 'f' },
        });
        expect(text(chunks)).toBe(`{
    "id": "Codeforces/1575/A",
    "solution_result": [
        {
            "index": 4,
            "language": "PYTHON3",
            "solution": "print(4)",
            "result": {
                "accepted": false,
                "verdict": "WrongAnswer",
                "tests": [
                    {"passed": false, "verdict": "WrongAnswer", "cpu_time": 0.012, "wall_time": 0.014, "memory": 9437184, "exec_info": {"status": "Success"}}
                ]
            },
            "limits": {"time": 1, "memory": 1024, "output": 2048},
            "attempts": [
                {"attempt": 1, "verdict": "WrongAnswer", "started_at": "2026-11-21T09:00:00.000Z", "duration": 0.5, "api_used": "local", "worker_id": "thread-1", "sandbox": "bwrap"}
            ],
            "fingerprint": "v1-sha256-4"
        }
    ],
    "incorrect_solution_result": [],
    "api_used": "local",
    "worker_id": "thread-3",
    "progress": {
        "completed_solutions": 1,
        "total_solutions": 3,
        "completed_incorrect_solutions": 0,
        "total_incorrect_solutions": 2,
        "is_complete": false
    },
    "failures": [
        {"group": "solution", "index": 1}
    ],
    "computed_limits": {"time": 2, "slowest": 0.5, "group_fingerprint": "f"}
}
`);
    });

    it('equals JSON.stringify with four spaces where nothing is on one line', () => {
        const chunks = serializeFile({ ...layout, groups: [{ name: 'iteration', total: 0, entries: [] }] });
        const value = {
            id: 'Codeforces/1575/A',
            iteration_result: [],
            api_used: 'local',
            worker_id: 'thread-3',
            progress: { completed_iterations: 0, total_iterations: 0, is_complete: true },
        };
        expect(text(chunks)).toBe(`${JSON.stringify(value, null, 4)}\n`);
    });

    it('writes keys of later versions, several entries and attempts, and what stands after progress', () => {
        const [first, second] = [entry(0), entry(1, 'Accepted', { result: {}, attempts: [] })];
        const later = {
            ...first,
            attempts: [...first.attempts, ...first.attempts],
            later: [1, 'x'],
            never: undefined,
        };
        const chunks = serializeFile({
            ...layout,
            groups: [
                {
                    name: 'solution',
                    total: 2,
                    entries: [{ bytes: serializeEntry(later) }, { bytes: serializeEntry(second) }],
                },
            ],
            retiredRevision: 3,
            run: 'r1',
        });
        const written = text(chunks);
        expect(written).toContain('"later": [1, "x"]\n        },\n        {\n            "index": 1,');
        expect(written).toContain('"result": {},\n');
        expect(written).toContain('"attempts": [],\n');
        expect(written.match(/^ {16}\{"attempt": 1, .*\},?$/gm)).toHaveLength(2);
        expect(written.endsWith('    },\n    "retired_revision": 3,\n    "run": "r1"\n}\n')).toBe(true);
        expect(JSON.parse(written)).toMatchObject({
            solution_result: [
                { later: [1, 'x'], attempts: later.attempts },
                { index: 1, result: {}, attempts: [] },
            ],
            progress: { completed_solutions: 2, is_complete: true },
        });
        expect(written).not.toContain('never');
    });

    it('writes a list that is not called tests on one line, and numbers that JSON has not as null', () => {
        const odd = entry(0, 'Accepted', {
            result: { accepted: true, list: [1, 2], tests: 'none' },
        });
        const written = serializeEntry(odd).toString();
        expect(written).toContain('"list": [1, 2],\n                "tests": "none"\n');
        expect(serializeOnOneLine([Number.POSITIVE_INFINITY, Number.NaN, null])).toBe('[null, null, null]');
    });

    it('survives hostile keys and values', () => {
        assert(
            property(string({ unit: 'binary' }), jsonValue(), (key, value) => {
                const result = JSON.parse(JSON.stringify({ accepted: true, [key]: value })) as {
                    accepted: boolean;
                };
                const hostile = { ...entry(0), result };
                const chunks = serializeFile({
                    ...layout,
                    groups: [{ name: key, total: 1, entries: [{ bytes: serializeEntry(hostile) }] }],
                });
                const read = JSON.parse(text(chunks)) as Record<string, unknown>;
                expect(read[`${key}_result`]).toEqual([hostile]);
            }),
        );
    });
});
