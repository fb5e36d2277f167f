import type { OptionTable } from '../../config/option.js';
import type { ProbeOutcome } from '../../endpoint/pool.js';
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { JudgingOptions, LocalOptions, ServerOptions } from '../descriptor.js';
import type { ExecutorConfig, MainExecutorKind } from '../executor-kind.js';
import type { Ask } from './fleet.js';

/** What a descriptor of every executor over sandbox servers holds. */
export interface SandboxServerOptions extends JudgingOptions, LocalOptions, ServerOptions {}

/** The row of an executor over sandbox servers. */
export interface SandboxServerKind<
    O extends OptionTable = OptionTable,
    C extends ExecutorConfig = ExecutorConfig,
    D extends ExecutorDescriptor = ExecutorDescriptor,
> extends MainExecutorKind<O, C, D> {
    readonly server: SandboxServer<D>;
}

/** What `resume-run endpoints` asks of a kind of server. */
interface SandboxServer<D extends ExecutorDescriptor> {
    /** Asks one server whether it is of this kind and well. The message of an `ok` is its version, if it tells one. */
    probe(ask: Ask): Promise<ProbeOutcome>;
    /** Runs a hello-world, for calibrations; absent: such servers say themselves when it is too much. */
    runHello?(ask: Ask): Promise<ProbeOutcome>;
    /** Tags of the languages that such a server may have. */
    languages(): Promise<readonly string[]>;
    /** The descriptor for these options, its own at their defaults. */
    describe(options: SandboxServerOptions): D;
}
