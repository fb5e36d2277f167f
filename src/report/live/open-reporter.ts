import { QuietReporter } from './quiet.js';
import { combineReporters, type Reporter } from './reporter.js';
import { makeSink, type TextStream } from '../sink.js';
import { chooseStyle } from '../style.js';

export interface ReporterOptions {
    /** `--json`: events on stdout, warnings on stderr. */
    readonly json: boolean;
    /** `--quiet` */
    readonly quiet: boolean;
    readonly stdout: TextStream;
    readonly stderr: TextStream;
    readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Chooses how to display a run, and loads only that. Progress goes to stderr; stdout is for results: the closing summary, or
 * JSON.
 */
export async function openReporter(options: ReporterOptions): Promise<Reporter> {
    const stderr = makeSink(options.stderr);
    const style = chooseStyle(options.stderr, options.env);
    if (options.json) {
        const { JsonLinesReporter } = await import('./json-lines.js');
        return combineReporters([
            new JsonLinesReporter(makeSink(options.stdout)),
            new QuietReporter(stderr, style),
        ]);
    }
    if (options.quiet) return new QuietReporter(stderr, style);
    if (!stderr.isTTY || options.env['TERM'] === 'dumb') {
        const { PlainReporter } = await import('./plain.js');
        return new PlainReporter(stderr, style);
    }
    const { BarReporter } = await import('./bars.js');
    return new BarReporter(stderr, style);
}
