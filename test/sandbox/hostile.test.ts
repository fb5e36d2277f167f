import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, Suspicion } from '../../src/model/task.js';
import { inWords, printed } from '../executor/judge/judging.js';
import { LONG, sampled } from '../rig/long.js';
import { patience } from '../rig/slowness.js';
import { type Attack, type Expectation, MARK, OUT, triesAll } from './attack.js';
import { COMPILERS } from './attacks/compilers.js';
import { COMBINABLE, ESCAPES } from './attacks/escapes.js';
import { PROCESSES, RESOURCES } from './attacks/resources.js';
import { STATE } from './attacks/state.js';
import { type HostileRig, openRig, type Who } from './rig.js';

/*
 * Programs that attack: in both kinds of sandbox, as root (if that is who runs the tests) and as an ordinary user. Each gets the
 * verdict that it must get, while a well-behaved program beside it notices nothing; afterwards nothing of them is left.
 */

const MIB = 1024 * 1024;
const SECRET = 'secret-8c1f';
const ATTACKS: readonly Attack[] = [...RESOURCES, ...ESCAPES, ...STATE, ...COMPILERS];
const LIMITS = { time: 0.35, memory: 128 * MIB, output: MIB };

const SETTINGS = (['bwrap', 'rlimit'] as const).flatMap((sandbox) =>
    (['as we are', 'as an ordinary user'] as const).map((who) => ({ sandbox, who })),
);

function expected(attack: Attack, sandbox: 'bwrap' | 'rlimit', who: Who): Expectation {
    const rule = attack.under[sandbox];
    if ('asRoot' in rule) return who === 'as we are' && process.getuid?.() === 0 ? rule.asRoot : rule.asUser;
    return rule;
}

/** One of each kind of limit; crowds and daemons are all tried. */
const ONE_OF_EACH_LIMIT: ReadonlySet<string> = new Set([
    'sleeping',
    'ignoring signals',
    'CPU burnt by children nobody waits for',
    'memory of 20 processes',
    'deep recursion',
    'flood of stderr',
    'filling the disk',
    'many small files',
    'a deep folder',
]);

/** Tried as the second user too. */
function isShort(attack: Attack): boolean {
    const { language, name } = attack;
    if (RESOURCES.includes(attack) && !PROCESSES.includes(attack) && !ONE_OF_EACH_LIMIT.has(name))
        return false;
    return language === 'PYTHON3' || (language === 'CPP' && ESCAPES.some((one) => one.name === name));
}

/** In another language than Python, which has one of the same name. */
function isTranslation({ language, name }: Attack): boolean {
    return (
        language !== 'PYTHON3' && ATTACKS.some((other) => other.name === name && other.language === 'PYTHON3')
    );
}

/** Translations that the short form tries, where it tries any: some of each language, other ones with another seed. */
const SAMPLED_TRANSLATIONS: ReadonlySet<Attack> = new Set(
    ['CPP', 'JAVA'].flatMap((language) =>
        sampled(
            ATTACKS.filter((attack) => attack.language === language && isTranslation(attack)),
            2,
        ),
    ),
);

/** Compiler bombs, which the same limits end in every sandbox: the second one tries a sample of them. */
const BOMBS = COMPILERS.filter((attack) => Object.values(attack.under).flat().includes('failure compiler'));
const SAMPLED_BOMBS: ReadonlySet<Attack> = new Set(sampled(BOMBS, 2));

/** As `inWords`, but of failures the reason alone. */
function inShort(outcome: Outcome): string {
    return outcome.kind === 'failure' ? `failure ${outcome.failure.reason}` : inWords(outcome);
}

/** In the short form, attacks that fit in one program are one. */
function combine(attacks: readonly Attack[]): readonly Attack[] {
    if (LONG) return attacks;
    const groups = COMBINABLE.map((group) => group.filter((attack) => attacks.includes(attack)));
    return [...attacks.filter((attack) => !groups.flat().includes(attack)), ...groups.map(triesAll)];
}

/** A place with everything that programs must not get. */
function layOut(rig: HostileRig): void {
    for (const name of ['home', 'results', 'checkpoints']) mkdirSync(join(rig.folder, name), { mode: 0o700 });
    const files = { [`home/${SECRET}`]: SECRET, 'results/sample.json': '{}', 'checkpoints/run.json': '{}' };
    for (const [name, text] of Object.entries(files))
        writeFileSync(join(rig.folder, name), text, { mode: 0o600 });
    for (const name of ['home', 'results', 'checkpoints']) rig.own(join(rig.folder, name));
}

function expectUntouched(rig: HostileRig): void {
    expect(readFileSync(join(rig.folder, 'home', SECRET), 'utf8')).toBe(SECRET);
    expect(readdirSync(join(rig.folder, 'home'))).toEqual([SECRET]);
    expect(readFileSync(join(rig.folder, 'results/sample.json'), 'utf8')).toBe('{}');
    for (const name of ['home', 'results', 'checkpoints']) {
        expect(statSync(join(rig.folder, name)).mode & 0o7777, name).toBe(0o700);
    }
}

const INNOCENT = {
    language: 'PYTHON3',
    source: 'print(sum(range(100000)))\n',
    tests: [['', '4999950000\n']],
    limits: { ...LIMITS, time: 1 },
} as const;

// What fills a disk, or leaves ten thousand files to remove, holds up those beside it for half a minute.
const LIMIT = { timeout: patience(60_000) };

describe.each(SETTINGS)('hostile programs under $sandbox, $who', LIMIT, async ({ sandbox, who }) => {
    process.env['SECRET'] = SECRET;
    const opened = await openRig(sandbox, who);
    if (typeof opened === 'string') {
        console.log(`skipped: ${sandbox}, ${who}: ${opened}`);
        it.skip(opened, () => {});
        return;
    }
    const rig = opened;
    const server = createServer((socket) => socket.end());
    const abstract = createServer((socket) => socket.end());
    let port = 0;
    let serial = 0;
    beforeAll(async () => {
        layOut(rig);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        port = typeof address === 'object' && address !== null ? address.port : 0;
        // One for all settings: somebody else's server on this machine.
        abstract.on('error', () => {});
        abstract.listen(`\0${SECRET}`);
    });
    afterAll(async () => {
        delete process.env['SECRET'];
        server.close();
        abstract.close();
        await rig.close();
        await rig.remove();
    });

    const judgeOnce = async (
        attack: Attack,
        number: number,
        confirming: Suspicion | null,
    ): Promise<Outcome> => {
        const names = { secret: SECRET, folder: rig.folder, port, pid: rig.pid, serial: number };
        const inputs = attack.inputs ?? [''];
        const stage = join(rig.folder, 'stage', '1');
        const source = Object.entries({ ...names, stage }).reduce(
            (text, [name, value]) => text.replaceAll(`@${name}@`, String(value)),
            attack.source,
        );
        const submission = {
            language: attack.language,
            source,
            tests: inputs.map((input) => [input, ''] as const),
            limits: { ...LIMITS, ...attack.limits },
            ...(confirming === null ? {} : { confirming }),
        };
        return COMPILERS.includes(attack) ? rig.compile(submission) : rig.run(submission);
    };

    /** On a loaded machine the wall bound may come first: as in a run, what is in doubt for that is judged once more. */
    const judge = async (attack: Attack, number: number): Promise<Outcome> => {
        const first = await judgeOnce(attack, number, null);
        const verdicts = expected(attack, sandbox, who);
        const isInDoubt = first.kind === 'verdict' && first.suspect === 'near-time';
        if (!isInDoubt || ('includes' in verdicts && verdicts.includes(inShort(first)))) return first;
        return judgeOnce(attack, number, first.suspect);
    };

    // The second user meets other walls around files, processes and signals; of what bursts in the same way one of each
    // kind is enough. What a namespace hides from Python it hides from C++ and a JVM, and limits that hold Python hold the
    // same thing in another language: of those a sample.
    const isRepetition = (attack: Attack): boolean => {
        if (who === 'as an ordinary user') return !isShort(attack) || isTranslation(attack);
        if (sandbox === 'bwrap') return isTranslation(attack);
        return (
            (isTranslation(attack) && !SAMPLED_TRANSLATIONS.has(attack)) ||
            (BOMBS.includes(attack) && !SAMPLED_BOMBS.has(attack))
        );
    };
    const chosen = ATTACKS.filter((attack) => LONG || !isRepetition(attack));
    if (chosen.length < ATTACKS.length)
        console.log(
            `not repeated under ${sandbox}, ${who}: ${ATTACKS.length - chosen.length} attacks that others stand for`,
        );
    const held = combine(chosen.filter((attack) => !('notHeld' in expected(attack, sandbox, who))));
    for (const attack of ATTACKS) {
        const expectation = expected(attack, sandbox, who);
        if ('notHeld' in expectation)
            console.log(`not held under ${sandbox}, ${who}: ${attack.name}: ${expectation.notHeld}`);
    }

    const run = async (attack: Attack): Promise<void> => {
        const number = 10 + (serial++ % 90);
        const verdicts = expected(attack, sandbox, who);
        for (let i = 0; i < (attack.times ?? 1); i++) {
            const [outcome, neighbour] = await Promise.all([judge(attack, number), rig.run(INNOCENT)]);
            const said = printed(outcome);
            expect(verdicts, `${inWords(outcome)}\n${said}`).toContain(inShort(outcome));
            expect(said).not.toContain(`${OUT}\n`);
            expect(said).not.toContain(SECRET);
            expect(inWords(neighbour)).toBe('Accepted');
        }
        expectUntouched(rig);
    };

    // One user's crowd leaves no process to that user's other programs: a known weakness, which must not spoil the other attacks.
    const isShared = sandbox === 'rlimit' && (who === 'as an ordinary user' || process.getuid?.() !== 0);
    const isAlone = (attack: Attack): boolean => isShared && attack.crowd === true;
    it.concurrent.each(held.filter((attack) => !isAlone(attack)))('$name ($language)', run);
    it.each(held.filter(isAlone))('$name ($language)', run);

    it('leaves nothing behind', async () => {
        await rig.close();
        expect(readdirSync(join(rig.folder, 'scratch'))).toEqual([]);
        expect(rig.leftovers()).toEqual([]);
        const commands = readdirSync('/proc').filter((pid) => {
            const file = `/proc/${pid}/cmdline`;
            return (
                /^\d+$/.test(pid) && existsSync(file) && readFileSync(file, 'utf8').split('\0').includes(MARK)
            );
        });
        expect(commands).toEqual([]);
    });
});
