/** Which results directory a command is about; both absolute. */
export interface RunPaths {
    readonly dir: string;
    /** Folder of its run.json, locks and caches. */
    readonly checkpoints: string;
}
