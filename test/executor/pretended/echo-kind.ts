import type { OptionTable } from '../../../src/config/option.js';
import type { WorkerExecutorKind } from '../../../src/executor/executor-kind.js';

const OPTIONS = {
    'echo-text': {
        kind: 'text',
        default: 'hello',
        placeholder: '<text>',
        group: 'What runs',
        about: 'What --executor echo answers',
        decides: 'verdict',
        effect: 'existing verdicts stay',
    },
} as const satisfies OptionTable;

interface EchoConfig {
    readonly kind: 'echo';
    readonly text: string;
}

export interface EchoDescriptor {
    readonly kind: 'echo';
    readonly text: string;
}

/** The row of a sample executor. */
export const ECHO: WorkerExecutorKind<typeof OPTIONS, EchoConfig, EchoDescriptor> = {
    name: 'echo',
    options: OPTIONS,
    judges: false,
    usesEndpoints: false,
    runsIn: 'worker',
    configure: (values) => ({ kind: 'echo', text: values['echo-text'] }),
    plan: (config) => Promise.resolve({ descriptor: config, identity: 'echo' }),
    patience: () => 10,
    create: async (descriptor) => (await import('./echo.js')).createEcho(descriptor),
};
