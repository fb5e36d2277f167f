import { readRunFile } from '../checkpoint/run-file.js';
import { withWhole } from '../model/tally.js';
import { reportCsv } from '../report/csv.js';
import { collectReport, type Report, renderReport, reportJson, reportMarkdown } from '../report/report.js';
import type { ExitCode } from '../util/user-error.js';
import { print, stdoutPage, warn } from './output.js';
import type { Place } from './place.js';
import { ResultFiles } from './result-files.js';

type ReportFormat = 'text' | 'json' | 'csv' | 'markdown';

/** `resume-run report`. @throws UserError (exit 2) if the directory cannot be read */
export async function showReport(asked: Place & { readonly format: ReportFormat }): Promise<ExitCode> {
    const files = new ResultFiles(asked, warn).read(Number.POSITIVE_INFINITY);
    const [report, run] = await Promise.all([collectReport(files), readRunFile(asked.checkpoints)]);
    const comparison = run?.comparison?.formats ?? null;
    print(
        textOf({ ...report, comparison, total: withWhole(report.total, run?.totals ?? null) }, asked.format),
    );
    return 0;
}

function textOf(report: Report, format: ReportFormat): string {
    switch (format) {
        case 'text':
            return renderReport(report, stdoutPage());
        case 'json':
            return reportJson(report);
        case 'csv':
            return reportCsv(report);
        case 'markdown':
            return reportMarkdown(report);
    }
}
