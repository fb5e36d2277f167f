import { featureProbe } from './missing-feature.js';
import { findMissingImport, type MissingImport } from './missing-import.js';

/** Exit code of a probe in an interpreted language that did not find its module. */
const NOT_FOUND = 3;

/** How a probe ended, wherever it was run. */
export interface ProbeEnd {
    /** The compiler's output if the probe did not compile; null: it compiled, or needs no compilation. */
    readonly complaint: string | null;
    /** Exit code of the program; null if it did not run or did not exit. */
    readonly exitCode: number | null;
}

/**
 * One of our own programs, which imports what a submission failed to import. If its language is interpreted, it exits with a
 * special code when the import fails; if compiled, it does not compile.
 */
export function importProbe({ what, name }: MissingImport, tag: string): string {
    const text = JSON.stringify(name);
    switch (what) {
        case 'header':
            return `#include <${name}>\nint main(void) { return 0; }\n`;
        case 'package':
            return tag === 'JAVA'
                ? `import ${name}.*;\n\npublic class Main {\n    public static void main(String[] args) {}\n}\n`
                : `package main\n\nimport _ ${text}\n\nfunc main() {}\n`;
        case 'feature':
            return featureProbe(tag, name);
        case 'crate':
            return `extern crate ${name};\n\nfn main() {}\n`;
        case 'module':
            return tag === 'JAVASCRIPT' || tag === 'TYPESCRIPT'
                ? `try { require.resolve(${text}); } catch { process.exitCode = ${NOT_FOUND}; }\n`
                : [
                      'import sys',
                      'try:',
                      `    __import__(${text})`,
                      'except ImportError as error:',
                      `    sys.exit(${NOT_FOUND} if getattr(error, "name", ${text}) in (None, ${text}) else 0)`,
                      'except Exception:',
                      '    pass',
                      '',
                  ].join('\n');
    }
}

/** Whether a probe did not find its module, header or package. Only the end that means exactly this is proof. */
export function isProbedMissing(wanted: MissingImport, tag: string, end: ProbeEnd): boolean {
    if (wanted.what === 'module') return end.complaint === null && end.exitCode === NOT_FOUND;
    if (end.complaint === null) return false;
    if (wanted.what === 'feature') return true;
    return findMissingImport(tag, end.complaint, [importProbe(wanted, tag)])?.name === wanted.name;
}
