import { readSync, writeSync } from 'node:fs';

/*
 * Sixteen bytes shared between a process that takes several jobs in one message and the sender of those jobs: a file without a
 * name, open on both sides. Messages would be too late here, because a job that blocks its process keeps it from reading them.
 *
 *     bytes 0 to 7   the number of the last job begun, written by the process that runs it
 *     bytes 8 to 15  jobs up to this number may no longer begin, written by the sender
 *
 * Each side writes its own number first and then reads the other's. If a job is begun and refused at the same time, at least one
 * side notices: the process drops the job and reports that, or the sender does not count it as taken back.
 */

/** Descriptor of the file in a started process. */
export const GATE_FD = 4;

const BEGUN_AT = 0;
const REFUSED_AT = 8;

export const GATE_BYTES = 16;

const bytes = new Uint8Array(8);
const number = new Float64Array(bytes.buffer);

/** @throws errors of the file system */
function write(fd: number, at: number, value: number): void {
    number[0] = value;
    if (writeSync(fd, bytes, 0, 8, at) !== 8) throw new Error('incomplete write to the gate file');
}

/** @throws errors of the file system */
function read(fd: number, at: number): number {
    if (readSync(fd, bytes, 0, 8, at) !== 8) throw new Error('incomplete read from the gate file');
    return number[0] ?? 0;
}

/** Called before a job begins. @returns false if it may not begin. @throws errors of the file system */
export function beginJob(fd: number, job: number): boolean {
    write(fd, BEGUN_AT, job);
    return job > read(fd, REFUSED_AT);
}

/** Keeps jobs up to this number from beginning. @returns the last one begun. @throws errors of the file system */
export function refuseJobs(fd: number, upTo: number): number {
    write(fd, REFUSED_AT, upTo);
    return read(fd, BEGUN_AT);
}

/** @returns the last job begun. @throws errors of the file system */
export const readBegun = (fd: number): number => read(fd, BEGUN_AT);
