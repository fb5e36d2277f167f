import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Executor } from '../../src/executor/executor.js';
import { createJudge } from '../../src/executor/judge/judge.js';
import { createGoJudge } from '../../src/executor/servers/go-judge.js';
import { createSandboxFusion } from '../../src/executor/servers/sandbox-fusion.js';
import type { JudgeResult } from '../../src/model/entry.js';
import { AGREEMENT_PROGRAMS, type AgreementProgram, type Judge } from '../rig/servers/agreement-programs.js';
import { FusionServer } from '../rig/servers/fusion-server.js';
import {
    brief,
    contextOf,
    fusion,
    goJudge,
    JUDGING,
    stageSample,
    taskOf,
} from '../rig/servers/submissions.js';

/*
 * The same programs, judged in every way that there is: each cell right, or its difference stated. The rig plays
 * SandboxFusion unless the addresses of real servers are given, as a comma list: AGREEMENT_WITH names the judges, `local`,
 * `goJudge=<url>`, `runCode=<url>`, `submit=<url>`, `fork=<url>`. Without it, only programs about which some judge has to
 * differ run, on the rig; test/executor/servers/fusion-faults.test.ts has what they must agree on.
 */

const wanted = process.env['AGREEMENT_WITH'];

const MIB = 1024 * 1024;
const servers: FusionServer[] = [];
afterAll(async () => void (await Promise.all(servers.map((server) => server.clean()))));

async function rig(variant: 'original' | 'fork'): Promise<string> {
    const server = await new FusionServer({ variant }).start();
    servers.push(server);
    return server.url;
}

async function judgesToCompare(): Promise<readonly (readonly [Judge, string])[]> {
    if (wanted !== undefined) {
        return wanted.split(',').map((one) => {
            const [judge = '', url = ''] = one.split('=');
            return [judge as Judge, url] as const;
        });
    }
    const original = await rig('original');
    return [
        ['runCode', original],
        ['submit', original],
        ['fork', await rig('fork')],
    ];
}

/** An executor for one program: the memory limit is a matter of the whole run. */
async function executorFor(judge: Judge, url: string, { memory }: AgreementProgram): Promise<Executor> {
    const memoryLimit = memory === undefined ? null : memory * MIB;
    switch (judge) {
        case 'local': {
            const scratch = await mkdtemp(join(tmpdir(), 'rig-agreement-'));
            const compileCache = join(tmpdir(), 'rig-agreement-cache');
            return createJudge({ kind: 'judge', ...JUDGING, sandbox: 'bwrap', scratch, compileCache });
        }
        case 'goJudge':
            return createGoJudge(goJudge([url]));
        case 'runCode':
        case 'fork':
            return createSandboxFusion(fusion([url], { memoryLimit }));
        case 'submit':
            return createSandboxFusion(fusion([url], { api: 'submit', memoryLimit }));
    }
}

/** Judges as a run does: what is in doubt once more. */
async function judgeProgram(judge: Judge, url: string, program: AgreementProgram): Promise<string> {
    const stage = await stageSample([[program.input ?? '', program.answer]]);
    const executor = await executorFor(judge, url, program);
    try {
        const memory = program.memory === undefined ? null : program.memory * MIB;
        const limits = { time: program.time ?? 20, memory, output: 64 * MIB };
        const task = taskOf(stage, program.language, program.source, { limits });
        const first = await executor.run(task, contextOf());
        if (first.kind !== 'verdict' || first.suspect === null) return brief(first);
        const confirmed = (first.result as JudgeResult).tests.slice(0, -1);
        const again = { ...task, attempt: 2, confirmed, confirming: first.suspect };
        return brief(await executor.run(again, contextOf()));
    } finally {
        await executor.close();
    }
}

const programs = AGREEMENT_PROGRAMS.filter(({ differs }) => wanted !== undefined || differs !== undefined);

describe.each(await judgesToCompare())('%s', (judge, url) => {
    it.each(programs.map((program) => [program.name, program] as const))('%s', async (_, program) => {
        const found = await judgeProgram(judge, url, program);
        expect(found).toBe(program.differs?.[judge] ?? program.verdict);
    });
});
