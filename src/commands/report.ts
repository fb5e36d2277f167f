import { chooseCheckpointsFolder } from '../config.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { RATE_BOUNDS } from '../config/values/rate-bounds.js';
import { listMissedBounds, selectSamplesBelow, SORT_KEYS, sortSamples } from '../report/select-samples.js';
import { chooseSuccessWord } from '../report/success-word.js';
import { UserError } from '../util/user-error.js';
import { defineCommand } from './command.js';
import { DIRECTORY_OPTIONS, JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'report [--dir <dir>] [--json | --csv | --markdown | --junit | --github | --html <file>]',
    about:
        'Weak tests and unexpected verdicts first, then true-positive and true-negative rates by sample, verdicts near a ' +
        'limit, failures, skips',
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
        junit: {
            kind: 'flag',
            default: false,
            group: 'What you see',
            about: 'Print JUnit XML, a suite a sample',
            decides: 'display',
            only: 'command line',
        },
        github: {
            kind: 'flag',
            default: false,
            group: 'What you see',
            about: 'Print annotations for a GitHub workflow',
            decides: 'display',
            only: 'command line',
        },
        html: {
            kind: 'path',
            default: null,
            placeholder: '<file>',
            group: 'What you see',
            about: 'Write one self-contained HTML file, which works offline: tables, plots, every task',
            decides: 'display',
            only: 'command line',
        },
        'compare-with': {
            kind: 'path',
            default: null,
            placeholder: '<dir>',
            group: 'What you see',
            about: 'With --html: another results directory, whose tasks the page compares with those of --dir',
            decides: 'display',
            only: 'command line',
        },
        sort: {
            kind: 'choice',
            choices: SORT_KEYS,
            default: 'id',
            placeholder: '<key>',
            group: 'What you see',
            about: 'Order of the samples: rates lowest first, counts highest first',
            decides: 'display',
            only: 'command line',
        },
        only: RUN_OPTIONS.only,
        below: {
            kind: 'parsed',
            parser: RATE_BOUNDS,
            default: null,
            placeholder: '<tnr=0.9>',
            group: 'What you see',
            about: 'List only samples with a rate below; totals stay those of all',
            decides: 'display',
            only: 'command line',
        },
        'fail-under': {
            kind: 'parsed',
            parser: RATE_BOUNDS,
            default: null,
            placeholder: '<tpr=0.9,tnr=0.95>',
            group: 'What you see',
            about: 'Exit with 1 if a total rate is under its bound',
            decides: 'display',
            only: 'command line',
        },
    },
    examples: [
        {
            line: 'resume-run report --dir results --sort tnr --below tnr=0.9',
            about: 'Problems whose tests are too weak',
        },
        { line: 'resume-run report --dir results --fail-under tpr=0.95,tnr=0.9', about: 'For CI' },
        { line: 'resume-run report --dir results --csv > rates.csv', about: 'For a spreadsheet' },
        {
            line: 'resume-run report --dir results --html report.html',
            about: 'To look at, to search, to send',
        },
        {
            line: 'resume-run report --dir new --compare-with old --html report.html',
            about: 'With what got better and worse',
        },
    ],
    run: async ({ values }) => {
        const { dir } = values;
        const checkpoints = chooseCheckpointsFolder(dir, values.checkpoints);
        const formats = (['json', 'csv', 'markdown', 'junit', 'github'] as const).filter(
            (format) => values[format],
        );
        const asked = values.html === null ? formats : [...formats, 'html'];
        if (asked.length > 1)
            throw new UserError(`--${asked.join(' and --')} cannot be used together: give one of them`);
        const other = values['compare-with'];
        if (other !== null && values.html === null)
            throw new UserError(
                '--compare-with needs --html; resume-run compare prints the same in a terminal',
            );
        if (values.html !== null) {
            const { writeHtmlReport } = await import('../compose/page/html-report.js');
            await writeHtmlReport({ dir, checkpoints }, values.html, {
                only: values.only,
                compared:
                    other === null ? null : { dir: other, checkpoints: chooseCheckpointsFolder(other, null) },
            });
            if (values['fail-under'] === null) return 0;
        }
        const [
            { DirectoryReader, keepMatching },
            { printLines, printPieces, printRaw, describeStdout: stdoutPage, warn },
            { withWhole },
            report,
        ] = await Promise.all([
            import('../compose/directory/directory-reader.js'),
            import('../compose/output.js'),
            import('../model/tally-sum.js'),
            import('../report/report.js'),
        ]);
        const reader = new DirectoryReader({ dir, checkpoints }, { onNotice: warn, again: false });
        const { run, known } = await reader.readRun();
        const chosen = keepMatching(reader.read(Number.POSITIVE_INFINITY, known), values.only);
        const part = await report.collectReport(chosen);
        const success = chooseSuccessWord(run?.options['executor']);
        const comparison = run?.comparison?.formats ?? null;
        const isWhole = known === null && values.only.length === 0;
        const total = isWhole ? withWhole(part.total, run?.totals ?? null) : part.total;
        const all = sortSamples({ ...part, comparison, total }, values.sort);
        const whole = values.below === null ? all : selectSamplesBelow(all, values.below);
        switch (formats[0]) {
            case undefined:
                if (values.html === null)
                    printLines(report.renderReport(whole, { ...stdoutPage(), success }));
                break;
            case 'json':
                printPieces(report.reportJson(whole));
                break;
            case 'csv':
                printPieces((await import('../report/csv.js')).reportCsv(whole));
                break;
            case 'markdown':
                printPieces((await import('../report/report-markdown.js')).reportMarkdown(whole, success));
                break;
            case 'junit':
                printPieces((await import('../report/junit.js')).reportJunit(whole));
                break;
            case 'github':
                printRaw((await import('../report/annotations.js')).reportAnnotations(whole));
                break;
        }
        const missed = values['fail-under'] === null ? [] : listMissedBounds(all, values['fail-under']);
        for (const line of missed) warn(`--fail-under: ${line}`);
        return missed.length > 0 ? 1 : 0;
    },
});
