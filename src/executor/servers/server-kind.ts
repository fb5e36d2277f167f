import type { OptionTable } from '../../config/option.js';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { JudgingOptions, LocalOptions, ServerOptions } from '../descriptor.js';
import type { ExecutorConfig, MainExecutorKind } from '../executor-kind.js';
import type { Ask } from './fleet.js';

/** The options in every descriptor of an executor over sandbox servers. */
export interface SandboxServerOptions extends JudgingOptions, LocalOptions, ServerOptions {}

/** The row of an executor over sandbox servers. */
export interface SandboxServerKind<
    O extends OptionTable = OptionTable,
    C extends ExecutorConfig = ExecutorConfig,
    D extends ExecutorDescriptor = ExecutorDescriptor,
> extends MainExecutorKind<O, C, D> {
    readonly server: SandboxServer<D>;
}

/** What `resume-run endpoints` needs from a kind of server. */
interface SandboxServer<D extends ExecutorDescriptor> {
    /** Asks one server whether it is of this kind and healthy. The message of an `ok` is its version, if it reports one. */
    probe(ask: Ask): Promise<ProbeOutcome>;
    /** Runs a hello-world for calibration; absent if such servers report overload themselves. */
    runHello?(ask: Ask): Promise<ProbeOutcome>;
    /** Tags of the languages that such a server may support. */
    languages(): Promise<readonly string[]>;
    /** Builds the descriptor for these options, with the kind's own options at their defaults. */
    describe(options: SandboxServerOptions): D;
}
