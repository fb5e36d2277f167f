import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgramInput, Sample } from '../../../src/model/sample.js';
import { folderWith, loadAll, openOne } from '../rig.js';

export const BASE = {
    'problem.yaml': 'name: Sum\n',
    'data/sample/1.in': '1 2\n',
    'data/sample/1.ans': '3\n',
    'data/secret/1.in': '5 6\n',
    'data/secret/1.ans': '11\n',
    'submissions/accepted/sum.py': 'print(sum(map(int, input().split())))\n',
};

export async function load(
    files: Readonly<Record<string, string>>,
    links: Readonly<Record<string, string>> = {},
): Promise<Sample> {
    const folder = await folderWith({ ...BASE, ...files });
    for (const [name, target] of Object.entries(links)) {
        await mkdir(join(folder, name, '..'), { recursive: true });
        await symlink(target, join(folder, name));
    }
    const [sample] = await loadAll(await openOne(folder));
    if (sample === undefined) throw new Error('no sample');
    return sample;
}

export function programs(sample: Sample): ProgramInput[] {
    return Object.values(sample.groups)
        .flat()
        .filter((task) => task.kind === 'program');
}

export function program(sample: Sample, name: string): ProgramInput | undefined {
    return programs(sample).find((each) => each.name === `submissions/${name}`);
}
