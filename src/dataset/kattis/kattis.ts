import { packageFormat } from '../package-dataset.js';
import { findPackage, readPackage } from './package.js';
import { loadPackage } from './package-sample.js';

/** Problem packages of Kattis and the ICPC. */
export const kattis = packageFormat({
    format: 'kattis',
    manifest: 'problem.yaml',
    version: 2,
    find: findPackage,
    async countTasks(found) {
        const { submissions } = await readPackage(found);
        const solution = submissions.filter(({ group }) => group === 'solution').length;
        return { solution, incorrect: submissions.length - solution };
    },
    load: loadPackage,
});
