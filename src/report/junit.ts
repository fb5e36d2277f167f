import type { FailedTask, Unexpected } from '../model/tally.js';
import { readOnSamples } from '../model/sample-tests.js';
import { type XmlElement, renderXml } from '../util/xml.js';
import { groupTitle } from './format.js';
import { countHits, type Report } from './report.js';
import type { SampleRow } from './report-samples.js';
import { describeTask, orderGroups } from './sections.js';

/**
 * The report as JUnit XML: a suite per sample, a case per group, and a case for each task that needs attention: a failure for an
 * unexpected verdict, an error for a task that could not be judged.
 */
export function reportJunit(report: Report): Generator<string> {
    return renderXml({ name: 'testsuites', attributes: { name: 'resume-run' } }, buildSuites(report));
}

function* buildSuites({ samples, total }: Report): Generator<XmlElement> {
    const unexpected = groupBySample(total.unexpected);
    const failures = groupBySample(total.failures);
    for (const sample of samples)
        yield buildSuite(sample, unexpected.get(sample.id) ?? [], failures.get(sample.id) ?? []);
}

function groupBySample<T extends { readonly sample: string }>(tasks: readonly T[]): Map<string, T[]> {
    const lists = new Map<string, T[]>();
    for (const task of tasks) {
        const list = lists.get(task.sample);
        if (list === undefined) lists.set(task.sample, [task]);
        else list.push(task);
    }
    return lists;
}

function buildSuite(
    sample: SampleRow,
    unexpected: readonly Unexpected[],
    failed: readonly FailedTask[],
): XmlElement {
    const { id } = sample;
    const cases = [
        ...orderGroups(sample.groups).map(([name, group]): XmlElement => {
            const { hits, judged } = countHits(name, group);
            const what = (readOnSamples(name) ?? name) === 'incorrect_solution' ? 'rejected' : 'accepted';
            return buildCase(id, `${groupTitle(name)}: ${hits} of ${judged} ${what}`);
        }),
        ...unexpected.map((task) => {
            const message = [task.verdict, describeTask(task)].filter((part) => part !== '').join(': ');
            return buildCase(id, nameCase(task), {
                name: 'failure',
                attributes: { message, type: task.verdict },
            });
        }),
        ...failed.map((task) =>
            buildCase(id, nameCase(task), {
                name: 'error',
                attributes: { message: task.message, type: task.reason },
            }),
        ),
    ];
    const attributes = { name: id, tests: cases.length, failures: unexpected.length, errors: failed.length };
    return { name: 'testsuite', attributes, children: cases };
}

function buildCase(sample: string, name: string, outcome?: XmlElement): XmlElement {
    const attributes = { classname: sample, name };
    return { name: 'testcase', attributes, ...(outcome === undefined ? {} : { children: [outcome] }) };
}

const nameCase = ({
    group,
    index,
    name,
}: {
    readonly group: string;
    readonly index: number;
    readonly name?: string;
}): string => (name === undefined ? `${group} ${index}` : `${group} ${index} (${name})`);
