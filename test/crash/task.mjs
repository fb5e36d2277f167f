import { randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/*
 * The task of the crash suite. Each execution first leaves a marker outside the results, so that what ran, and how often, is
 * known whatever happens to the run.
 */

/** Read at each call, because several starts may share this module. */
const mark = (key, attempt) => {
    const { CRASH_MARKERS, CRASH_RUN } = process.env;
    const name = `${CRASH_RUN}~${key}~${attempt}~${randomUUID()}`;
    writeFileSync(join(CRASH_MARKERS, name), '', { flag: 'wx' });
};

export default async function run({ input }, { attempt }) {
    const { key, ms = 0, size = 0, fault = null } = input;
    const earlier = readdirSync(process.env.CRASH_MARKERS).filter(
        (name) => name.split('~')[1] === key,
    ).length;
    mark(key, attempt);
    if (fault !== null && earlier < fault.times) await misbehave(fault);
    if (ms > 0) await sleep(ms);
    return { accepted: !key.endsWith('x'), key, text: key.padEnd(size, '.') };
}

async function misbehave({ does }) {
    switch (does) {
        case 'throw':
            throw new Error('thrown by the task');
        case 'exit':
            process.exit(7);
            break;
        case 'hang':
            for (;;) await sleep(1000);
        case 'spin':
            for (;;);
        case 'fill the heap': {
            const kept = [];
            for (;;) kept.push(Array.from({ length: 1e6 }, () => kept.length));
        }
        case 'kill itself':
            process.kill(process.pid, 'SIGKILL');
            await sleep(10_000);
            break;
        default:
            throw new Error(`no fault named ${does}`);
    }
}

/** Returns a value that cannot be a result. */
export async function garbage({ input }, { attempt }) {
    const { key } = input;
    mark(key, attempt);
    switch (input.returns) {
        case 'nothing':
            return undefined;
        case 'a list':
            return [1, 2];
        case 'a cycle': {
            const cycle = {};
            cycle.cycle = cycle;
            return cycle;
        }
        case 'a big integer':
            return { n: 1n };
        case 'too much':
            return { text: 'x'.repeat(16 * 1024 * 1024) };
        default:
            return { key, text: key };
    }
}
