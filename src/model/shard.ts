/** One of several parts of the samples, for runs that share them: `--shard 2/4` is `{index: 2, count: 4}`. 1 <= index <= count. */
export interface Shard {
    readonly index: number;
    readonly count: number;
}
