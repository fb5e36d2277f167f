import { readSync, writeSync } from 'node:fs';

/*
 * Sixteen bytes that a process which takes several jobs in one message shares with the one that sent them: a file without a name, open
 * on both sides. Messages would be too late here: a job that blocks its process keeps it from reading any.
 *
 *     bytes 0 to 7   the number of the last job that was begun, written by the process that runs it
 *     bytes 8 to 15  jobs up to this number may not begin any more, written by the one that sent them
 *
 * Each side writes its own number first and then reads the other's. Of a job that is begun and refused at the same time, at least one
 * side hears: its process drops it and says so, or its sender does not count it as taken back.
 */

/** Number of the file among those that a process is started with. */
export const GATE_FD = 4;

const BEGUN_AT = 0;
const REFUSED_AT = 8;

export const GATE_BYTES = 16;

const bytes = new Uint8Array(8);
const number = new Float64Array(bytes.buffer);

/** @throws what the file system says */
function write(fd: number, at: number, value: number): void {
    number[0] = value;
    if (writeSync(fd, bytes, 0, 8, at) !== 8) throw new Error('a number was written in part');
}

/** @throws what the file system says */
function read(fd: number, at: number): number {
    if (readSync(fd, bytes, 0, 8, at) !== 8) throw new Error('a number is missing');
    return number[0] ?? 0;
}

/** Called before a job is begun. @returns false: it may not begin. @throws what the file system says */
export function beginJob(fd: number, job: number): boolean {
    write(fd, BEGUN_AT, job);
    return job > read(fd, REFUSED_AT);
}

/** Keeps jobs up to this number from beginning. @returns the last one that has begun. @throws what the file system says */
export function refuseJobs(fd: number, upTo: number): number {
    write(fd, REFUSED_AT, upTo);
    return read(fd, BEGUN_AT);
}

/** @returns the last job that was begun. @throws what the file system says */
export const readBegun = (fd: number): number => read(fd, BEGUN_AT);
