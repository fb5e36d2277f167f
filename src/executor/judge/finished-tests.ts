import { randomBytes } from 'node:crypto';
import { access, copyFile, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const INPUT = 'in';
const ANSWER = 'ans';
const SETTINGS = 'yaml';

/** Where a test is to be written; `settings` is optional. */
export interface TestPaths {
    readonly input: string;
    readonly answer: string;
    readonly settings: string;
    /** For temporary data of its generation. */
    readonly scratch: string;
}

/**
 * The tests of a package that is not generated completely yet: a folder for each test, renamed into place when complete, so that
 * a start that is killed loses only the test in progress. Several shards may generate the same package; the first to finish a
 * test wins.
 */
export class FinishedTests {
    constructor(
        /** Named after everything that determines the package's tests. */
        private readonly folder: string,
    ) {}

    async count(): Promise<number> {
        const names = await readdir(this.folder).catch((): string[] => []);
        return names.filter((name) => /^\d+$/.test(name)).length;
    }

    /** Generates the test unless it exists. @returns its size in bytes */
    async add(index: number, make: (paths: TestPaths) => Promise<void>): Promise<number> {
        const place = join(this.folder, String(index));
        if (!(await exists(place))) {
            const making = join(this.folder, `making-${randomBytes(8).toString('hex')}`);
            try {
                await mkdir(making, { recursive: true, mode: 0o700 });
                const scratch = join(making, 'scratch');
                await make({ ...pathsIn(making), scratch });
                await rm(scratch, { force: true });
                await rename(making, place).catch(async (error: unknown) => {
                    // Another shard was faster.
                    if (!(await exists(place))) throw error;
                });
            } finally {
                await rm(making, { recursive: true, force: true });
            }
        }
        const { input, answer } = pathsIn(place);
        return (await stat(input)).size + (await stat(answer)).size;
    }

    /** Places a finished test at `<path>.in`, `<path>.ans` and `<path>.yaml`. */
    async place(index: number, path: string): Promise<void> {
        const { input, answer, settings } = pathsIn(join(this.folder, String(index)));
        await linkOrCopy(input, `${path}.in`);
        await linkOrCopy(answer, `${path}.ans`);
        if (await exists(settings)) await linkOrCopy(settings, `${path}.yaml`);
    }

    remove(): Promise<void> {
        return rm(this.folder, { recursive: true, force: true });
    }
}

const pathsIn = (folder: string): Omit<TestPaths, 'scratch'> => ({
    input: join(folder, INPUT),
    answer: join(folder, ANSWER),
    settings: join(folder, SETTINGS),
});

const exists = (path: string): Promise<boolean> =>
    access(path).then(
        () => true,
        () => false,
    );

/** Some file systems do not support links. */
const linkOrCopy = (from: string, to: string): Promise<void> =>
    link(from, to).catch(() => copyFile(from, to));
