import { checkpointsFolder } from '../config.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'report [--dir <dir>] [--json | --csv | --markdown]',
    about:
        'True-positive and true-negative rates by sample and in total, and what is worth a look: solutions not ' +
        'accepted, incorrect solutions accepted, verdicts near a limit, failures, skips',
    options: {
        ...DIRECTORY_OPTIONS,
        ...JSON_OPTION,
        csv: {
            kind: 'flag',
            default: false,
            group: 'What you see',
            about: 'Print CSV, a row a sample',
            decides: 'display',
            only: 'command line',
        },
        markdown: {
            kind: 'flag',
            default: false,
            group: 'What you see',
            about: 'Print Markdown tables',
            decides: 'display',
            only: 'command line',
        },
    },
    examples: [{ line: 'resume-run report --dir results --csv > rates.csv', about: 'For a spreadsheet' }],
    run: async ({ values }) => {
        const { dir } = values;
        const checkpoints = checkpointsFolder(dir, values.checkpoints);
        const formats = (['json', 'csv', 'markdown'] as const).filter((format) => values[format]);
        if (formats.length > 1)
            throw new UserError(`--${formats.join(' and --')} cannot be used together: give one of them`);
        const [{ DirectoryReader }, { print, printRaw, stdoutPage, warn }, { withWhole }, report] =
            await Promise.all([
                import('../compose/directory-reader.js'),
                import('../compose/output.js'),
                import('../model/tally.js'),
                import('../report/report.js'),
            ]);
        const reader = new DirectoryReader({ dir, checkpoints }, warn);
        const { run, known } = await reader.readRun();
        const part = await report.collectReport(reader.read(Number.POSITIVE_INFINITY, known));
        const comparison = run?.comparison?.formats ?? null;
        const total = known === null ? withWhole(part.total, run?.totals ?? null) : part.total;
        const whole = { ...part, comparison, total };
        switch (formats[0]) {
            case undefined:
                print(report.renderReport(whole, stdoutPage()));
                break;
            case 'json':
                printRaw(report.reportJson(whole));
                break;
            case 'csv':
                printRaw((await import('../report/csv.js')).reportCsv(whole));
                break;
            case 'markdown':
                printRaw((await import('../report/report-markdown.js')).reportMarkdown(whole));
                break;
        }
        return 0;
    },
});
