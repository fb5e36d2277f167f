import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/*
 * Two network namespaces, joined by a cable that a test can cut, which an ordinary user can create. veth is the only kernel
 * module needed.
 */

/** The namespaces' addresses. */
export const NEAR = '10.77.0.1';
const FAR = '10.77.0.2';

/** Creates both namespaces and the cable. @param keeper a command that keeps the far one alive */
const makeScript = (keeper: string): string => `
exec 3<&0
ip link set lo up
ip link add near type veth peer name far
unshare -n ${keeper} & far=$!
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link set far netns $far
ip addr add ${NEAR}/24 dev near
ip link set near up
nsenter -t $far -n sh -ec 'ip link set lo up; ip addr add ${FAR}/24 dev far; ip link set far up'
`;

/** Prints the process ids of both sides, and keeps both alive until its stdin closes. */
const HOLD = `${makeScript('cat <&3 >/dev/null')}
echo $$ $far
wait
`;

const TRY = `${makeScript('sleep 5')}
kill $far
`;

/** How to cut a cable and mend it again: commands on the far side. */
const CUTS = {
    /** Its own interface is down: it has no route and is told so. */
    down: { cut: 'ip link set far down', mend: 'ip link set far up' },
    /** What it sends is lost silently. */
    'half-open': {
        cut: `ip neigh replace ${NEAR} lladdr 02:00:00:00:00:99 dev far nud permanent`,
        mend: `ip neigh del ${NEAR} dev far`,
    },
} as const;

export type Cut = keyof typeof CUTS;

/** Why tests that cut links are skipped; null if they run. */
export function whyNoNamespaces(): string | null {
    const tried = spawnSync('unshare', ['-rn', 'sh', '-ec', TRY], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 10_000,
    });
    if (tried.status === 0) return null;
    const said = (tried.error?.message ?? tried.stderr).trim().split('\n')[0] ?? '';
    return `this machine makes no network namespaces (${said})`;
}

export class Namespaces {
    private constructor(
        private readonly holder: ChildProcess,
        private readonly pids: { readonly near: string; readonly far: string },
    ) {}

    static async open(): Promise<Namespaces> {
        const holder = spawn('unshare', ['-rn', 'sh', '-ec', HOLD], { stdio: ['pipe', 'pipe', 'inherit'] });
        const [line] = (await once(holder.stdout, 'data')) as [Buffer];
        const [near = '', far = ''] = line.toString().trim().split(' ');
        return new Namespaces(holder, { near, far });
    }

    /** The start of a command line that runs on one side. */
    enter(side: 'near' | 'far'): string[] {
        return ['nsenter', '--preserve-credentials', '-U', '-n', '-t', this.pids[side]];
    }

    cut(how: Cut): void {
        this.#run(CUTS[how].cut);
    }

    mend(how: Cut): void {
        this.#run(CUTS[how].mend);
    }

    #run(command: string): void {
        const [file = '', ...args] = [...this.enter('far'), ...command.split(' ')];
        const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' });
        if (status !== 0) throw new Error(`${command}: ${stderr}`);
    }

    async end(): Promise<void> {
        const ended = once(this.holder, 'exit');
        this.holder.stdin?.end();
        await ended;
    }
}
