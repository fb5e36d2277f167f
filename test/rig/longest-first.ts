import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The slowest files, slowest first: if one of these began last, the other worker would be left idle. */
const LONGEST = [
    'test/docs/how-to.test.ts',
    'test/conformance/sandbox-server.test.ts',
    'test/sandbox/hostile.test.ts',
    'test/executor/judge/verdicts.test.ts',
    'test/conformance/backend.test.ts',
    'test/page/',
    'test/crash/',
    'test/conformance/',
    'test/executor/servers/',
    'test/cli/matrix.test.ts',
    'test/cli/topics.test.ts',
    'test/docs/',
    'test/trace/',
    'test/results/crash.test.ts',
    'test/executor/',
    'test/cli/',
    'test/results/',
    'test/commands/',
];

const rankOf = ({ moduleId }: TestSpecification): number => {
    const rank = LONGEST.findIndex((name) => moduleId.includes(`/${name}`));
    return rank === -1 ? LONGEST.length : rank;
};

/** Starts slow test files first, so that all workers finish at about the same time. */
export class LongestFirst extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
        const usual = await super.sort(files);
        return usual.sort((a, b) => rankOf(a) - rankOf(b));
    }
}
