import { afterAll, describe, expect, it } from 'vitest';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { stagePair, TALK_PAIRS } from '../../rig/talk-pairs.js';
import { inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');

describe(`pairs of a submission and a validator in sandbox ${kind}`, () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());

    it.each(TALK_PAIRS.map((pair) => [pair.name, pair] as const))('%s', async (_, pair) => {
        const { source, problem } = stagePair(pair);
        const { checker, ...rest } = problem;
        const outcome = await rig.run({
            language: 'PYTHON3',
            source,
            ...(checker === undefined ? {} : { checker }),
            problem: rest,
            tests: [[pair.input ?? '', '']],
            limits: { time: pair.time ?? 2 },
        });
        expect(inWords(outcome)).toMatch(typeof pair.is === 'string' ? new RegExp(`^${pair.is}$`) : pair.is);
    });
});
