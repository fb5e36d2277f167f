import { formatWorkflowCommand } from '../util/workflow-command.js';
import { count, formatPercent } from './format.js';
import { computeTrueNegativeRate, computeTruePositiveRate } from './rates.js';
import type { Report } from './report.js';
import { describeTask, countFailed } from './sections.js';

/** GitHub shows ten annotations of each kind per step. */
const MAX_ANNOTATIONS = 10;

/** The report as annotations of a GitHub workflow: rates, unexpected verdicts, and tasks that could not be judged. */
export function reportAnnotations({ total }: Report): string {
    const rates = [
        ['TPR', computeTruePositiveRate(total.groups)],
        ['TNR', computeTrueNegativeRate(total.groups)],
    ] as const;
    const named = rates.flatMap(([name, rate]) =>
        rate === null ? [] : [`${name} ${formatPercent(rate.hits, rate.judged)}`],
    );
    const failed = countFailed(total.groups);
    const head = `${named.join(', ')}; ${count(total.unexpectedCount)} unexpected, ${count(failed)} failed`;
    return [
        formatWorkflowCommand('notice', 'resume-run report', head),
        ...total.unexpected.slice(0, MAX_ANNOTATIONS).map((task) => {
            const details = describeTask(task);
            const message = `${task.sample} ${task.group} ${task.index}: ${task.verdict}${details === '' ? '' : ` (${details})`}`;
            return formatWorkflowCommand('warning', 'Unexpected verdict', message);
        }),
        ...total.failures
            .slice(0, MAX_ANNOTATIONS)
            .map(({ sample, group, index, reason, message }) =>
                formatWorkflowCommand(
                    'error',
                    'Not judged',
                    `${sample} ${group} ${index}: ${reason}: ${message}`,
                ),
            ),
    ].join('');
}
