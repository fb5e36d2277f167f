import type { EarlierImport } from '../run/earlier-import.js';

/** Maximum number of files named in a line. */
const MAX_LISTED = 5;

/** Describes what a start takes over from the earlier tools, in lines for people. */
export function describeImport(found: EarlierImport): string[] {
    const { samples, taken, checkerFiles, changedVerdicts, notImportedCount, notImported } = found;
    const lines: string[] = [];
    if (taken > 0) lines.push(`takes over ${taken} results of earlier tools, of ${samples} samples`);
    if (checkerFiles > 0) {
        lines.push(
            `verdicts in <id>_checker.json take precedence over those in <id>.json: ${checkerFiles} such files, ${changedVerdicts} verdicts changed`,
        );
    }
    if (notImportedCount > 0) {
        const named = notImported.slice(0, MAX_LISTED).map(({ file, reason }) => `${file} (${reason})`);
        const rest = notImportedCount - named.length;
        lines.push(
            `${notImportedCount} results of earlier tools are not imported, their tasks run: ${named.join('; ')}` +
                (rest > 0 ? `; and ${rest} more (--dry-run --json lists them)` : ''),
        );
    }
    return lines;
}
