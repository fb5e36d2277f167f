import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { findLanguages } from '../../../src/executor/judge/available.js';
import { COMPILE_LIMITS } from '../../../src/executor/judge/limits.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { patience } from '../../rig/slowness.js';
import { inWords, JudgeRig } from './judging.js';

/*
 * Compilations that end with neither a program nor an error message: whatever a submission does to its compiler, it gets a
 * verdict rather than a failure at every start.
 */

const { kind } = await probeSandbox('auto');
const { missing } = await findLanguages({ overrides: {}, python2As3: false }, kind);

describe('a compiler that ends well without a program', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());

    it.each([
        ['GO', 'package lib\n\nfunc F() {}\n'],
        ['RUST', '#![crate_type = "lib"]\npub fn main() {}\n'],
    ])('is a CompileError in %s, however often it is asked', async (language, source) => {
        if (missing.has(language)) return console.log(`skipped ${language}: ${missing.get(language)}`);
        for (let i = 0; i < 2; i += 1) {
            const result = await rig.result({ language, source });
            expect(result.verdict).toBe('CompileError');
            expect(result.tests[0]?.exec_info.compile_result?.stderr).toMatch(
                /compiler produced nothing that can be started/,
            );
        }
    });

    it('is a CompileError in Kotlin where there is no main', async () => {
        if (missing.has('KOTLIN')) return console.log(`skipped KOTLIN: ${missing.get('KOTLIN')}`);
        const result = await rig.result({ language: 'KOTLIN', source: 'fun f() {}\n', limits: { time: 10 } });
        expect(result.verdict).toBe('CompileError');
        expect(result.tests[0]?.exec_info.compile_result?.stderr).toMatch(/no main manifest/);
    });
});

/** Runs a shell command during compilation. */
const haskell = (action: string): string => `{-# LANGUAGE TemplateHaskell #-}
import Language.Haskell.TH
import System.Process
main = print ($(runIO (system "${action}") >> [| 1 |]) :: Int)
`;

describe('a compiler that a program keeps from its work', () => {
    const rig = new JudgeRig(kind, {}, { ...COMPILE_LIMITS, wall: 2 });
    afterAll(() => rig.close());

    it('is asked once more where it waits for ever, and then is a CompileError', async () => {
        // Includes the compiler's own output, whose end is never written.
        const waits = { language: 'C', source: '#include "/proc/self/fd/1"\nint main(void) {}\n' };
        const first = await rig.run(waits);
        expect(inWords(first)).toMatch(/^CompileError(?: \(machine\))?$/);
        const again = await rig.run({ ...waits, confirming: 'machine' });
        expect(inWords(again)).toBe('CompileError');
        expect(JSON.stringify(again)).toMatch(
            /the C compiler was stopped at its wall limit|Permission denied/,
        );
    });

    it('is a CompileError where it leaves too many files, or too large ones', async () => {
        if (missing.has('HASKELL')) return console.log(`skipped HASKELL: ${missing.get('HASKELL')}`);
        const generous = new JudgeRig(kind);
        const many = haskell('cd out; for i in $(seq 1 25000); do : > f$i; done');
        expect(inWords(await generous.run({ language: 'HASKELL', source: many }))).toMatch(
            kind === 'bwrap' ? /^CompileError \(compile-limit\)$/ : /^(?:CompileError|WrongAnswer)/,
        );
        const large = haskell('cd out; for i in 1 2; do head -c 300000000 /dev/zero > f$i; done');
        expect(inWords(await generous.run({ language: 'HASKELL', source: large }))).toBe(
            'CompileError (machine)',
        );
        await generous.close();
    });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Living children of these processes. */
function childrenOf(parents: readonly number[]): number[] {
    return readdirSync('/proc').flatMap((name) => {
        const [, state = 'Z', parent = '0'] = /\) (\S) (\d+)/.exec(readOr(`/proc/${name}/stat`)) ?? [];
        return state !== 'Z' && parents.includes(Number(parent)) ? [Number(name)] : [];
    });
}

/** Boxes without a namespace of their own are children of our helpers. */
const boxes = (): number[] =>
    childrenOf(childrenOf([process.pid])).filter(
        (pid) => readOr(`/proc/${pid}/comm`).trim() === 'resume-run-box',
    );

function readOr(file: string): string {
    try {
        return readFileSync(file, 'utf8');
    } catch {
        return '';
    }
}

describe('a compiler that the kernel stops before we look', () => {
    // Python stands for compilers that do their work in a single process.
    const spin = { compile: ['python3', '-c', 'while True: pass'], run: ['{out}'], extensions: ['.spin'] };
    const rig = new JudgeRig('rlimit', { languages: { spin } }, { ...COMPILE_LIMITS, cpu: 1 });
    afterAll(() => rig.close());

    it('was stopped at its limit, not by somebody', async () => {
        // Probing a sandbox first uses a box of its own.
        await rig.judge;
        const judged = rig.run({ language: 'SPIN', source: '' });
        const isBusy = (): boolean => childrenOf(boxes()).length > 0;
        while (!isBusy()) await pause(5);
        // From here on nothing watches it, as on a heavily overloaded machine.
        const stopped = boxes();
        for (const pid of stopped) process.kill(pid, 'SIGSTOP');
        const until = Date.now() + patience(60_000);
        while (isBusy() && Date.now() < until) await pause(50);
        for (const pid of stopped) process.kill(pid, 'SIGCONT');
        expect(inWords(await judged)).toBe('CompileError (compile-limit)');
    });
});
