import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, Suspicion } from '../../src/model/task.js';
import { inWords, printed } from '../executor/judge/judging.js';
import { LONG, sampled } from '../rig/long.js';
import { isRun } from '../rig/parts.js';
import { patience } from '../rig/slowness.js';
import { type Attack, type Expectation, leavesAll, MARK, OUT, triesAll } from './attack.js';
import { COMPILERS } from './attacks/compilers.js';
import { COMBINABLE, ESCAPES } from './attacks/escapes.js';
import { RESOURCE_KINDS } from './attacks/resources.js';
import { STATE } from './attacks/state.js';
import { type HostileRig, openRig, type Who } from './rig.js';

/*
 * Programs that attack, in both kinds of sandbox, as root (if root runs the tests) and as an ordinary user. Each must get its
 * expected verdict while a well-behaved program beside it is not affected; afterwards nothing of them is left.
 */

const MIB = 1024 * 1024;
const SECRET = 'secret-8c1f';
const ATTACKS: readonly Attack[] = [...RESOURCE_KINDS.flat(), ...ESCAPES, ...STATE, ...COMPILERS];
const LIMITS = { time: 0.35, memory: 128 * MIB, output: MIB };

interface Setting {
    readonly sandbox: 'bwrap' | 'rlimit';
    readonly who: Who;
    /** The rig, or why there is none. */
    readonly rig: HostileRig | string;
}

// Programs that find this in the environment have reached ours.
process.env['SECRET'] = SECRET;
afterAll(() => {
    delete process.env['SECRET'];
});

const SETTINGS: Setting[] = [];
for (const sandbox of ['bwrap', 'rlimit'] as const)
    for (const who of ['as we are', 'as an ordinary user'] as const)
        SETTINGS.push({ sandbox, who, rig: await openRig(sandbox, who) });

function expected(attack: Attack, { sandbox, who }: Setting): Expectation {
    const rule = attack.under[sandbox];
    if ('asRoot' in rule) return who === 'as we are' && process.getuid?.() === 0 ? rule.asRoot : rule.asUser;
    return rule;
}

/** Whether it is an attack in another language that also exists in Python under the same name. */
function isTranslation({ language, name }: Attack): boolean {
    return (
        language !== 'PYTHON3' && ATTACKS.some((other) => other.name === name && other.language === 'PYTHON3')
    );
}

/** Translations of escapes that the short form tries, in one setting: some of each language, depending on the seed. */
const SAMPLED_TRANSLATIONS: ReadonlySet<Attack> = new Set(
    ['CPP', 'JAVA'].flatMap((language) =>
        sampled(
            ESCAPES.filter((attack) => attack.language === language && isTranslation(attack)),
            language === 'JAVA' ? 1 : 2,
        ),
    ),
);

/**
 * Escapes that the short form also tries in bwrap as an ordinary user; the others are skipped because a namespace hides the same
 * from every user.
 */
const SAMPLED_ESCAPES: ReadonlySet<Attack> = new Set([
    ...COMBINABLE.flat(),
    ...sampled(
        ESCAPES.filter((attack) => !COMBINABLE.flat().includes(attack)),
        6,
    ),
]);

/** Compiler bombs, which the same limits end in every sandbox. */
const BOMBS = COMPILERS.filter((attack) => Object.values(attack.under).flat().includes('failure compiler'));

/** Like `inWords`, but with only the reason of a failure. */
function inShort(outcome: Outcome): string {
    return outcome.kind === 'failure' ? `failure ${outcome.failure.reason}` : inWords(outcome);
}

const isHeld = (attack: Attack, setting: Setting): boolean => !('notHeld' in expected(attack, setting));

/** Attacks of one kind are stopped by the same mechanism, so each is tried in only one setting; the settings take turns. */
function isItsTurn(
    attack: Attack,
    kind: readonly Attack[],
    setting: Setting,
    settings: readonly Setting[],
): boolean {
    const places = settings.filter((place) => typeof place.rig !== 'string' && isHeld(attack, place));
    return places[kind.indexOf(attack) % places.length] === setting;
}

/** The short form tries each attack at least once, and at least one of each kind in every setting. */
function isTried(attack: Attack, setting: Setting): boolean {
    if (!isHeld(attack, setting)) return false;
    if (LONG) return true;
    const isOurs = setting.who === 'as we are';
    const kind = RESOURCE_KINDS.find((attacks) => attacks.includes(attack));
    if (kind !== undefined) return isItsTurn(attack, kind, setting, SETTINGS);
    const ours = SETTINGS.filter(({ who }) => who === 'as we are');
    if (BOMBS.includes(attack)) return isItsTurn(attack, BOMBS, setting, ours);
    // What a namespace hides from Python, it also hides from C++ and a JVM.
    if (isTranslation(attack))
        return isOurs && setting.sandbox === 'rlimit' && SAMPLED_TRANSLATIONS.has(attack);
    if (isOurs) return true;
    if (COMPILERS.includes(attack) || attack.language === 'JAVA') return false;
    return setting.sandbox === 'rlimit' || STATE.includes(attack) || SAMPLED_ESCAPES.has(attack);
}

/** In the short form, attacks that fit in one program are combined. */
function combine(attacks: readonly Attack[]): readonly Attack[] {
    if (LONG) return attacks;
    const groups = COMBINABLE.map((group) => group.filter((attack) => attacks.includes(attack)));
    const states = STATE.filter((attack) => attacks.includes(attack));
    const combined = new Set([...groups.flat(), ...states]);
    return [...attacks.filter((attack) => !combined.has(attack)), ...groups.map(triesAll), leavesAll(states)];
}

/** Sets up everything that programs must not reach. */
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

/** In the short form, only attacks that may take resources from others get a neighbour; escapes only look. */
const hasNeighbour = (attack: Attack): boolean => LONG || !ESCAPES.includes(attack);

// Attacks that fill a disk or leave ten thousand files to remove delay those beside them for half a minute.
const LIMIT = { timeout: patience(60_000) };

/** Tried in the quick part, the others in the slow one. */
const first = SETTINGS.find(({ rig }) => typeof rig !== 'string');
const inPart = SETTINGS.filter((setting) => isRun(setting === first ? 'quick' : 'slow'));

describe.each(inPart)('hostile programs under $sandbox, $who', LIMIT, (setting) => {
    const { sandbox, who, rig } = setting;
    if (typeof rig === 'string') {
        console.log(`skipped: ${sandbox}, ${who}: ${rig}`);
        it.skip(rig, () => {});
        return;
    }
    const server = createServer((socket) => socket.end());
    const abstract = createServer((socket) => socket.end());
    let port = 0;
    let serial = 0;
    beforeAll(async () => {
        layOut(rig);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        port = typeof address === 'object' && address !== null ? address.port : 0;
        // Simulates somebody else's server on this machine; one for all settings, so a second listen may fail.
        abstract.on('error', () => {});
        abstract.listen(`\0${SECRET}`);
    });
    afterAll(async () => {
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

    /** On a loaded machine the wall limit may be reached first: as in a run, such a result is judged once more. */
    const judge = async (attack: Attack, number: number): Promise<Outcome> => {
        const first = await judgeOnce(attack, number, null);
        const verdicts = expected(attack, setting);
        const isInDoubt = first.kind === 'verdict' && first.suspect === 'near-time';
        if (!isInDoubt || ('includes' in verdicts && verdicts.includes(inShort(first)))) return first;
        return judgeOnce(attack, number, first.suspect);
    };

    const chosen = ATTACKS.filter((attack) => isTried(attack, setting));
    const others = ATTACKS.filter((attack) => isHeld(attack, setting)).length - chosen.length;
    if (others > 0)
        console.log(
            `not repeated under ${sandbox}, ${who}: ${others} attacks of kinds that others stand for`,
        );
    const held = combine(chosen);
    for (const attack of ATTACKS) {
        const expectation = expected(attack, setting);
        if ('notHeld' in expectation)
            console.log(`not held under ${sandbox}, ${who}: ${attack.name}: ${expectation.notHeld}`);
    }

    const run = async (attack: Attack): Promise<void> => {
        const number = 10 + (serial++ % 90);
        const verdicts = expected(attack, setting);
        for (let i = 0; i < (attack.times ?? 1); i++) {
            const [outcome, neighbour] = await Promise.all([
                judge(attack, number),
                hasNeighbour(attack) ? rig.run(INNOCENT) : null,
            ]);
            const said = printed(outcome);
            expect(verdicts, `${inWords(outcome)}\n${said}`).toContain(inShort(outcome));
            expect(said).not.toContain(`${OUT}\n`);
            expect(said).not.toContain(SECRET);
            if (neighbour !== null) expect(inWords(neighbour)).toBe('Accepted');
        }
        expectUntouched(rig);
    };

    // One user's process crowd leaves no processes for that user's other programs: a known weakness, which must not disturb the
    // other attacks.
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
