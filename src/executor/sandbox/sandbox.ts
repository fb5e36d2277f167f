import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Box, type BareBoxOptions, type BoxOptions } from './box.js';
import { findProgram } from './find-program.js';
import { Helper } from './helper.js';
import { isReachable } from './reachable.js';
import { SandboxError } from './sandbox-error.js';
import type { SandboxKind } from '../descriptor.js';

export type OpenBoxOptions = Omit<BoxOptions, 'sandbox' | 'bwrap' | 'scratch' | 'dir' | 'onOpened'>;

/** Opens boxes of one kind through one helper, which is started on first use and restarted if it dies. */
export class Sandbox {
    #helper: Promise<Helper> | null = null;
    #serial = 0;
    #closed = false;
    #cgroup = 0;

    private constructor(
        readonly kind: SandboxKind,
        private readonly scratch: string,
        private readonly bwrap: string | null,
    ) {}

    /** @param scratch existing folder that only we use */
    static async create(kind: SandboxKind, scratch: string): Promise<Sandbox> {
        const bwrap = kind === 'bwrap' ? await findProgram('bwrap') : null;
        return new Sandbox(kind, scratch, bwrap);
    }

    /**
     * Version of control groups that enforced the memory limit of the most recently opened box; 0: none, or no box has run yet.
     */
    get cgroup(): number {
        return this.#cgroup;
    }

    /** @throws SandboxError if the helper cannot be started */
    async open(options: OpenBoxOptions): Promise<Box> {
        const helper = await this.#start();
        const { kind: sandbox, bwrap, scratch } = this;
        return Box.open(helper, ++this.#serial, {
            ...options,
            sandbox,
            bwrap,
            scratch,
            dir: await this.#newFolder(),
            onOpened: (cgroup) => {
                this.#cgroup = cgroup;
            },
        });
    }

    /** Name of a folder for a box. As root, its programs run as another user, who must be able to access it. */
    async #newFolder(): Promise<string> {
        const name = `resume-run-box-${randomBytes(8).toString('hex')}`;
        if (this.kind !== 'rlimit' || process.getuid?.() !== 0) return join(this.scratch, name);
        for (const place of [this.scratch, tmpdir()]) {
            if (await isReachable(place)) return join(place, name);
        }
        return join('/tmp', name);
    }

    /** A box that only starts commands, without folders or a user of its own. */
    async openBare(options: Omit<BareBoxOptions, 'scratch'>): Promise<Box> {
        const helper = await this.#start();
        return Box.openBare(helper, ++this.#serial, { ...options, scratch: this.scratch });
    }

    #start(): Promise<Helper> {
        if (this.#closed) return Promise.reject(new SandboxError('the sandbox was closed'));
        if (this.#helper === null) {
            const forget = (): void => {
                this.#helper = null;
            };
            this.#helper = Helper.start(forget);
            // A failed start is retried by the next caller.
            this.#helper.catch(forget);
        }
        return this.#helper;
    }

    /** Ends the helper and all boxes. */
    async close(): Promise<void> {
        this.#closed = true;
        const helper = await this.#helper?.catch(() => null);
        await helper?.close();
    }
}
