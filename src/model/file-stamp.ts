/** Identity of a file's content as far as stat can tell. Times in nanoseconds as decimal text, so that nothing is rounded. */
export interface FileStamp {
    readonly inode: string;
    readonly size: number;
    readonly mtime: string;
}
