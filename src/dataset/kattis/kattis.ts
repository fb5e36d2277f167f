import { makeDatasetError } from '../dataset-error.js';
import { packageFormat } from '../package-dataset.js';
import { findPackage, readPackage } from './package.js';
import { loadPackage, loadUnreadable } from './package-sample.js';
import { hasOnlySamples } from './secret-tests.js';

/** Problem packages in the format of Kattis and the ICPC. */
export const kattis = packageFormat({
    format: 'kattis',
    manifest: 'problem.yaml',
    version: 2,
    find: findPackage,
    async countTasks(found) {
        const { submissions, settings } = await readPackage(found);
        const [todo, ...more] = settings.todo;
        // A template copied by a tool's command for new packages: its samples and its solution are only an example.
        if (
            todo !== undefined &&
            more.length > 0 &&
            !found.files.some(({ name }) => name.startsWith('data/secret/'))
        )
            throw makeDatasetError(
                `${found.place}: is a template: its ${[todo, ...more].join(' and ')} are TODO`,
            );
        const solution = submissions.filter(({ group }) => group === 'solution').length;
        const hasSamplesAlone = await hasOnlySamples(found, settings);
        return { solution, incorrect: submissions.length - solution, hasSamplesAlone };
    },
    load: loadPackage,
    loadSkipped: loadUnreadable,
});
