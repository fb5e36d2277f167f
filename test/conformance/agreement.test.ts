import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Executor } from '../../src/executor/executor.js';
import { createJudge } from '../../src/executor/judge/judge.js';
import { createGoJudge } from '../../src/executor/servers/go-judge.js';
import { createSandboxFusion } from '../../src/executor/servers/sandbox-fusion.js';
import type { JudgeResult } from '../../src/model/entry.js';
import { LONG, sampled } from '../rig/long.js';
import { AGREEMENT_PROGRAMS, type AgreementProgram, type Judge } from '../rig/servers/agreement-programs.js';
import { FusionServer } from '../rig/servers/fusion-server.js';
import { findGoJudge, RealGoJudge } from '../rig/servers/real-go-judge.js';
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
 * The same 35 programs, judged in every available way: each cell must be right, or its difference stated (docs/servers.md). The
 * rig plays SandboxFusion, in both variants and with both calls; go-judge is the real one where it is installed. The short form
 * takes some of the programs on which a judge is known to differ, and a few of the others.
 *
 * AGREEMENT_WITH names real servers to use instead, and runs all programs there: a comma-separated list of `local`,
 * `goJudge=<url>`, `runCode=<url>`, `submit=<url>`, `fork=<url>`, `forkSubmit=<url>`.
 */

const wanted = process.env['AGREEMENT_WITH'];

const MIB = 1024 * 1024;
const servers: { clean(): Promise<void> }[] = [];
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
    const [original, fork, realGoJudge] = [await rig('original'), await rig('fork'), await startGoJudge()];
    return [
        ['local', ''],
        ...(realGoJudge === null ? [] : [['goJudge', realGoJudge] as const]),
        ['runCode', original],
        ['submit', original],
        ['fork', fork],
        ['forkSubmit', fork],
    ];
}

/** The address of a real go-judge that runs Java; prints the reason and returns null if there is none. */
async function startGoJudge(): Promise<string | null> {
    const binary = findGoJudge();
    const server = binary === null ? null : new RealGoJudge(binary);
    try {
        if (server?.hasMountTable === true) {
            await server.start();
            servers.push({ clean: () => server.kill() });
            return server.url;
        }
    } catch (error) {
        process.stdout.write(`${String(error)}\n`);
    }
    process.stdout.write(
        'skipped: the comparison with the real go-judge: none with its mount table is here\n',
    );
    return null;
}

/** An executor for one program, because the memory limit applies to a whole run. */
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
        case 'forkSubmit':
            return createSandboxFusion(fusion([url], { api: 'submit', memoryLimit }));
    }
}

/** Judges as a run does: a result in doubt is judged once more. */
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

/** All programs, or a sample of those on which some judge differs and of the others. */
function programsToJudge(): readonly AgreementProgram[] {
    if (wanted !== undefined || LONG) return AGREEMENT_PROGRAMS;
    const runsHere = AGREEMENT_PROGRAMS.filter(({ language }) => language !== 'RUST' || hasRust);
    const telling = runsHere.filter(({ differs }) => differs !== undefined);
    const rest = runsHere.filter((program) => !telling.includes(program));
    // A time-out or a failure takes twenty seconds or more in each of the six ways, so only the long form includes those.
    const isQuick = ({ differs = {} }: AgreementProgram): boolean =>
        !Object.values(differs).some((verdict) => /TimeLimitExceeded|failure/.test(verdict));
    const isTimed = ({ verdict }: AgreementProgram): boolean => verdict === 'TimeLimitExceeded';
    return [
        ...sampled(telling.filter(isQuick), 2),
        ...sampled(
            rest.filter((program) => !isTimed(program)),
            2,
        ),
    ];
}

const hasRust = spawnSync('rustc', ['--version']).status === 0;

describe.each(await judgesToCompare())('%s', (judge, url) => {
    const programs = programsToJudge().map((program) => [program.name, program] as const);
    it.concurrent.each(programs)('%s', async (_, program) => {
        const found = await judgeProgram(judge, url, program);
        const expected = program.differs?.[judge] ?? program.verdict;
        // go-judge's container only has the tools in /usr: a language missing there gets no verdict.
        const isMissing = judge === 'goJudge' && program.language === 'RUST' && found === 'failure sandbox';
        expect(found).toBe(isMissing ? 'failure sandbox' : expected);
    });
});
