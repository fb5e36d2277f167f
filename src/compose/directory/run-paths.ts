/** The results directory of a command; both paths are absolute. */
export interface RunPaths {
    readonly dir: string;
    /** Folder of run.json, locks and caches. */
    readonly checkpoints: string;
}
