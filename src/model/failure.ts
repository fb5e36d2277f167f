/**
 * The machinery broke while a task ran: never a verdict, always retried by policy, and recorded under `failures` in the end. A
 * closed union keyed by `reason`; facts stay in fields and are never parsed back from `message`.
 */
export type Failure =
    /** The thread or process that ran the task ended unexpectedly. */
    | {
          readonly reason: 'worker-died';
          readonly message: string;
          /** False: the task took several workers down, and would take down the next ones too. */
          readonly retry?: false;
      }
    /** The task gave no answer in time and had to be stopped (module, exec, a hung worker). Seconds. */
    | { readonly reason: 'no-answer'; readonly message: string; readonly after: number }
    /** The sandbox, or the helper that starts programs, did not work. */
    | { readonly reason: 'sandbox'; readonly message: string }
    /** The compiler was killed, ran out of memory or space, or cannot compile a hello-world. */
    | { readonly reason: 'compiler'; readonly message: string }
    /** A program needs a module or a header that this machine lacks. */
    | { readonly reason: 'environment'; readonly message: string }
    /** The checker crashed, broke its convention, or could not be built. */
    | { readonly reason: 'judge-error'; readonly message: string }
    /** A program died by a signal that we did not send and that no limit explains. */
    | { readonly reason: 'killed'; readonly message: string; readonly signal: string }
    /** A module threw, or returned something other than a JSON object. The error itself may say whether and when to try again. */
    | {
          readonly reason: 'task-threw';
          readonly message: string;
          /** Seconds to wait before the next try. */
          readonly retryAfter?: number;
          /** False: trying again within this start will not help. */
          readonly retry?: false;
      }
    /** A command of `--executor exec` exited with a code that `--exit-verdict` does not name. */
    | { readonly reason: 'exit-code'; readonly message: string; readonly exitCode: number }
    /** A command of `--executor exec` could not be started. */
    | { readonly reason: 'not-started'; readonly message: string }
    /** The result is larger than a checkpoint accepts. Bytes. */
    | { readonly reason: 'result-too-large'; readonly message: string; readonly bytes: number }
    /**
     * A server could not be reached, dropped the connection, or reported a fault of its own. `status` is the HTTP status, if one
     * came.
     */
    | {
          readonly reason: 'endpoint';
          readonly message: string;
          readonly endpoint: string;
          readonly status?: number;
      }
    /** A server refuses this request or this client (401, 403, 404, 422): trying again will not help. */
    | {
          readonly reason: 'refused';
          readonly message: string;
          readonly endpoint: string;
          readonly status: number;
      };

export type FailureReason = Failure['reason'];

/** Trying again within the same start would end the same way. */
const FINAL_REASONS: ReadonlySet<FailureReason> = new Set(['refused', 'result-too-large', 'environment']);

/** Whether another try may end differently. */
export function isRetryable(failure: Failure): boolean {
    const isRefused = 'retry' in failure && failure.retry !== undefined;
    return !FINAL_REASONS.has(failure.reason) && !isRefused;
}
