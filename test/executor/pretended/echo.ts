import type { Executor } from '../../../src/executor/executor.js';
import type { EchoDescriptor } from './echo-kind.js';

/** The implementation of a sample executor, which answers every task with the same text. */
export function createEcho({ text }: EchoDescriptor): Executor {
    return {
        run: (task) => {
            const result = { accepted: true, verdict: 'Accepted', echo: `${task.sample}: ${text}` } as const;
            return Promise.resolve({
                kind: 'verdict',
                verdict: 'Accepted',
                result,
                suspect: null,
                by: { api_used: 'local' },
            });
        },
        close: () => Promise.resolve(),
    };
}
