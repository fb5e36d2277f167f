import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import {
    chmodSync,
    chownSync,
    cpSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SandboxKind } from '../../src/executor/descriptor.js';
import type { JudgeDescriptor } from '../../src/executor/judge/judge-kind.js';
import { createJudge } from '../../src/executor/judge/judge.js';
import { COMPILE_LIMITS } from '../../src/executor/judge/limits.js';
import { probeSandbox } from '../../src/executor/sandbox/probe.js';
import type { RunLimits } from '../../src/executor/sandbox/wire.js';
import type { Outcome, Task } from '../../src/model/task.js';
import type { Executor } from '../../src/executor/executor.js';
import { LONG } from '../rig/long.js';
import { patience } from '../rig/slowness.js';
import { sharedFolder } from '../rig/run-folder.js';
import { type Case, JudgeRig } from '../executor/judge/judging.js';

const MIB = 1024 * 1024;
const ROOT = join(import.meta.dirname, '../..');

/** Whose programs are judged: our own user's, or those of a user that owns nothing else on this machine. */
export type Who = 'as we are' | 'as an ordinary user';

let serial = 0;

/** A user that exists nowhere else, so that everything it leaves can be found. */
function newUser(): number {
    return 61_200 + ((process.pid * 2 + serial++) % 3000);
}

/** For sources that attack compilers, so that bombs fail soon. */
const SMALL_COMPILE_LIMITS: RunLimits = {
    ...COMPILE_LIMITS,
    cpu: LONG ? 3 : 1,
    wall: patience(LONG ? 6 : 3),
    memory: 256 * MIB,
    fileSize: 64 * MIB,
};

export interface HostileRig {
    readonly folder: string;
    /** The process with the judge, which programs try to reach. */
    readonly pid: number;
    run(one: Case): Promise<Outcome>;
    /** The same, but compiled in this sandbox, whatever others in this run have in the cache. */
    compile(one: Case): Promise<Outcome>;
    /** Ends the judge; `leftovers` then finds what its programs have left. */
    close(): Promise<void>;
    leftovers(): string[];
    /** Gives a file or folder made by the test to the judge's user. */
    own(path: string): void;
    /** Removes the folder. */
    remove(): Promise<void>;
}

/** @returns the rig, or why there cannot be one */
export async function openRig(sandbox: SandboxKind, who: Who): Promise<HostileRig | string> {
    if (who === 'as an ordinary user') return openForUser(sandbox);
    const problem = await probeSandbox(sandbox).then(
        () => null,
        (error: Error) => error.message,
    );
    if (problem !== null) return problem;
    const rig = new JudgeRig(sandbox);
    const own = descriptor(rig, sandbox);
    const judge = await createJudge({ ...own, compileCache: sharedFolder('compiled') });
    const compiling = await createJudge(own, SMALL_COMPILE_LIMITS);
    const signal = new AbortController().signal;
    setMaxListeners(0, signal);
    const helpers = new Set<number>();
    const runBy = async (by: Executor, one: Case): Promise<Outcome> => {
        const outcome = by.run(rig.task(one), { signal, log: () => {} });
        for (const pid of helpersOf(process.pid)) helpers.add(pid);
        return outcome;
    };
    return {
        folder: rig.folder,
        pid: process.pid,
        run: (one) => runBy(judge, one),
        compile: (one) => runBy(compiling, one),
        close: async () => {
            await judge.close();
            await compiling.close();
        },
        leftovers: () => [...helpers].flatMap((pid) => traces((uid) => isBoxUser(uid, pid))),
        own: () => {},
        remove: () => rig.close(),
    };
}

function descriptor(rig: JudgeRig, sandbox: SandboxKind): JudgeDescriptor {
    return {
        kind: 'judge',
        sandbox,
        includeDirs: [],
        scratch: join(rig.folder, 'scratch'),
        compileCache: join(rig.folder, 'compiled'),
        python2As3: false,
        adaptWindows: true,
        languages: {},
        allTests: true,
        keepOutput: 'all',
        outputLimit: 1024,
    };
}

/** Copies everything that another user needs to where that user can read it. */
function publish(user: number): string {
    const place = mkdtempSync(join(tmpdir(), 'hostile-user-'));
    chmodSync(place, 0o755);
    for (const name of ['dist', 'native']) cpSync(join(ROOT, name), join(place, name), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(place, 'package.json'));
    cpSync(join(import.meta.dirname, 'judge-child.mjs'), join(place, 'judge-child.mjs'));
    mkdirSync(join(place, 'home'), { mode: 0o700 });
    chownSync(join(place, 'home'), user, user);
    return place;
}

async function openForUser(sandbox: SandboxKind): Promise<HostileRig | string> {
    if (process.getuid?.() !== 0)
        return 'only root can become another user (the other half of the suite is one)';
    if (!existsSync(join(ROOT, 'dist/executor/judge/judge.js'))) return 'dist/ is not built: npm run build';
    try {
        execFileSync('setpriv', [...asUser(newUser()), process.execPath, '--version'], {
            stdio: 'ignore',
            cwd: '/',
        });
    } catch {
        return `setpriv is missing, or ${process.execPath} is out of reach of an ordinary user`;
    }
    const user = newUser();
    const place = publish(user);
    const rig = new JudgeRig(sandbox);
    own(rig.folder, user);
    const env = {
        PATH: process.env['PATH'],
        HOME: join(place, 'home'),
        RESUME_RUN_HELPER: process.env['RESUME_RUN_HELPER'],
        SECRET: process.env['SECRET'],
    };
    const argv = [
        join(place, 'judge-child.mjs'),
        join(place, 'dist'),
        JSON.stringify(descriptor(rig, sandbox)),
        // Only the long form attacks compilers here; honest programs need higher limits on a loaded machine.
        JSON.stringify(LONG ? SMALL_COMPILE_LIMITS : COMPILE_LIMITS),
    ];
    const child = spawn('setpriv', [...asUser(user), process.execPath, ...argv], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env,
        cwd: place,
    });
    const judge = new ChildJudge(child);
    // Awaited while the file is loaded, when no test timeout applies.
    const silent = setTimeout(() => child.kill('SIGKILL'), patience(20_000));
    const problem = await judge.ready;
    clearTimeout(silent);
    if (problem !== null) {
        await judge.close();
        await rig.close();
        rmSync(place, { recursive: true });
        return problem;
    }
    const run = (one: Case): Promise<Outcome> => {
        const task = rig.task(one);
        own(task.stage ?? '', user);
        return judge.run(task);
    };
    return {
        folder: rig.folder,
        pid: child.pid ?? 0,
        run,
        compile: run,
        close: async () => {
            await judge.close();
            rmSync(place, { recursive: true, force: true });
        },
        leftovers: () => traces((uid) => uid === user).filter((path) => !path.startsWith(rig.folder)),
        own: (path) => own(path, user),
        remove: () => rig.close(),
    };
}

function asUser(user: number): string[] {
    const id = String(user);
    return ['--reuid', id, '--regid', id, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
}

function own(path: string, user: number): void {
    chownSync(path, user, user);
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) own(join(path, name), user);
}

/** The parent's end of judge-child.mjs. */
class ChildJudge {
    readonly ready: Promise<string | null>;
    readonly #waiting = new Map<
        number,
        { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }
    >();
    readonly #ended: Promise<void>;
    #serial = 0;

    constructor(private readonly child: ChildProcess) {
        let isReady: (problem: string | null) => void = () => {};
        this.ready = new Promise((resolve) => {
            isReady = resolve;
        });
        this.#ended = new Promise((resolve) => {
            child.once('close', (code, signal) => {
                isReady(`the judge of the other user ended: ${signal ?? `exit code ${code}`}`);
                for (const { reject } of this.#waiting.values())
                    reject(new Error('the judge of the other user ended'));
                resolve();
            });
        });
        if (child.stdout === null) throw new Error('the child has no stdout');
        createInterface({ input: child.stdout }).on('line', (line) => {
            const message = JSON.parse(line) as
                | { problem: string | null }
                | { id: number; outcome: Outcome }
                | { id: number; error: string };
            if ('problem' in message) return isReady(message.problem);
            const waiting = this.#waiting.get(message.id);
            this.#waiting.delete(message.id);
            if ('error' in message) waiting?.reject(new Error(message.error));
            else waiting?.resolve(message.outcome);
        });
    }

    run(task: Task): Promise<Outcome> {
        const id = ++this.#serial;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { resolve, reject });
            this.child.stdin?.write(`${JSON.stringify({ id, task })}\n`);
        });
    }

    close(): Promise<void> {
        this.child.stdin?.end();
        return this.#ended;
    }
}

/** Helpers that a process has started. */
function helpersOf(pid: number): number[] {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
        readOr(`/proc/${pid}/task/${tid}/children`).split(' ').filter(Boolean).map(Number),
    );
    return children.filter((child) => readOr(`/proc/${child}/cmdline`).split('\0').includes('serve'));
}

/** The user ids that src/executor/sandbox/identity.ts gives to the boxes of a helper. */
function isBoxUser(uid: number, helper: number): boolean {
    const first = 1_900_000_000 + (helper % 4_194_304) * 32;
    return uid >= first && uid < first + 32;
}

/** Processes, files in world-writable places, and shared objects of a user. */
function traces(isTheirs: (uid: number) => boolean): string[] {
    const paths = ['/proc', '/tmp', '/var/tmp', '/dev/shm'].flatMap((folder) =>
        readdirSync(folder)
            .filter((name) => folder !== '/proc' || /^\d+$/.test(name))
            .map((name) => join(folder, name)),
    );
    const owned = paths.filter((path) => {
        const info = lstatSync(path, { throwIfNoEntry: false });
        return info !== undefined && isTheirs(info.uid);
    });
    const shared = ['shm', 'sem', 'msg'].flatMap((kind) => {
        const [head = '', ...rows] = readOr(`/proc/sysvipc/${kind}`).trim().split('\n');
        const column = head.trim().split(/\s+/).indexOf('uid');
        return rows.filter((row) => isTheirs(Number(row.trim().split(/\s+/)[column])));
    });
    return [...owned, ...shared];
}

function readOr(path: string): string {
    try {
        return readFileSync(path, 'utf8');
    } catch {
        return '';
    }
}
