import { unreachable } from '../../util/unreachable.js';

/** Something wrong in a results directory. Paths are relative to it or to its checkpoints directory. */
export type Finding =
    /**
     * Not a result file of ours or of the earlier tools: a start moves it aside and runs its sample again, if it has one.
     * `isOfSample`: whether a sample of the datasets has this name; null if they cannot be read.
     */
    | {
          readonly kind: 'unparseable';
          readonly file: string;
          readonly why: string;
          readonly isOfSample: boolean | null;
      }
    /** Results of a sample that the datasets no longer hold. */
    | { readonly kind: 'removed sample'; readonly file: string; readonly id: string }
    /** The `id` inside cannot have this name: no run finds it here. */
    | { readonly kind: 'wrong name'; readonly file: string; readonly id: string; readonly expected: string }
    /** Two files hold the same sample; `files[0]` is the one that counts. */
    | { readonly kind: 'duplicate id'; readonly id: string; readonly files: readonly string[] }
    /** `progress` disagrees with the entries. */
    | { readonly kind: 'totals disagree'; readonly file: string; readonly id: string; readonly what: string }
    | {
          readonly kind: 'duplicate index';
          readonly file: string;
          readonly group: string;
          readonly index: number;
      }
    /** More finished tasks than tasks. */
    | {
          readonly kind: 'too many entries';
          readonly file: string;
          readonly group: string;
          readonly entries: number;
          readonly total: number;
      }
    /** A temporary file of a run that is gone. */
    | { readonly kind: 'leftover'; readonly file: string }
    /** A file that was moved aside because it could not be read. */
    | { readonly kind: 'set aside'; readonly file: string }
    /** Not upgraded yet: the next run does it. */
    | { readonly kind: 'earlier tool'; readonly file: string; readonly id: string }
    /** Verdicts of an earlier tool's checker: they count when `<id>.json` is upgraded. */
    | { readonly kind: 'earlier checker'; readonly file: string; readonly id: string }
    /** Results of an earlier tool, a file for each task: taken over where the sample has no file of its own. */
    | { readonly kind: 'earlier folder'; readonly file: string; readonly results: number }
    /** Not a file that a run creates. */
    | { readonly kind: 'stranger'; readonly file: string }
    | { readonly kind: 'torn log'; readonly file: string; readonly line: number }
    /** Archived results that differ from what was archived. `file` is absolute. */
    | { readonly kind: 'archive damaged'; readonly file: string; readonly id: string; readonly why: string }
    /** A file of output that is missing, or differs from what the entry in `where` says. */
    | { readonly kind: 'output damaged'; readonly file: string; readonly where: string; readonly why: string }
    /** A file of output that nothing names: a run was killed before it committed the entry. */
    | { readonly kind: 'output unnamed'; readonly file: string }
    /** run.json or archive.json cannot be used, or a file stands in place of one of our folders: a run exits with 2. */
    | { readonly kind: 'unusable'; readonly file: string; readonly why: string };

export type Severity = 'error' | 'warning' | 'info';

export function chooseSeverity(finding: Finding): Severity {
    switch (finding.kind) {
        case 'unparseable':
        case 'duplicate id':
        case 'totals disagree':
        case 'duplicate index':
        case 'too many entries':
        case 'unusable':
        case 'archive damaged':
        case 'output damaged':
            return 'error';
        case 'wrong name':
        case 'leftover':
        case 'torn log':
        case 'output unnamed':
            return 'warning';
        case 'set aside':
        case 'earlier tool':
        case 'earlier checker':
        case 'earlier folder':
        case 'stranger':
        case 'removed sample':
            return 'info';
        default:
            return unreachable(finding);
    }
}

/** Whether `--fix` can mend it without losing anything. */
export function isFixable(finding: Finding): boolean {
    switch (finding.kind) {
        case 'unparseable':
        case 'totals disagree':
        case 'leftover':
        case 'wrong name':
        case 'output unnamed':
            return true;
        case 'duplicate id':
        case 'duplicate index':
        case 'too many entries':
        case 'unusable':
        case 'set aside':
        case 'torn log':
        case 'earlier tool':
        case 'earlier checker':
        case 'earlier folder':
        case 'stranger':
        case 'removed sample':
        case 'archive damaged':
        case 'output damaged':
            return false;
        default:
            return unreachable(finding);
    }
}

/** One line for the user: where, what, and what to do about it. */
export function describeFinding(finding: Finding): string {
    switch (finding.kind) {
        case 'unparseable':
            return `${finding.file}: cannot be read as a result file (${finding.why}); ${describeOutcome(finding.isOfSample)}`;
        case 'removed sample':
            return `${finding.file}: holds ${JSON.stringify(finding.id)}, which the dataset no longer has; a run leaves it alone, and it is in no rate`;
        case 'wrong name':
            return `${finding.file}: holds ${JSON.stringify(finding.id)}, which belongs into ${finding.expected}; it is not found here`;
        case 'duplicate id':
            return `${finding.files.join(', ')}: all hold ${JSON.stringify(finding.id)}; the first one counts`;
        case 'totals disagree':
            return `${finding.file}: ${finding.what}`;
        case 'duplicate index':
            return `${finding.file}: two entries of ${finding.group} have the index ${finding.index}; the next run keeps the one that matches its task`;
        case 'too many entries':
            return `${finding.file}: ${finding.entries} entries of ${finding.group}, but ${finding.total} tasks; the next run sorts it out`;
        case 'leftover':
            return `${finding.file}: a temporary file of a run that is gone; the next run removes it`;
        case 'set aside':
            return `${finding.file}: was moved aside because it could not be read; delete it when you have looked at it`;
        case 'earlier tool':
            return `${finding.file}: written by an earlier tool; the next run upgrades it and keeps a copy`;
        case 'earlier checker':
            return `${finding.file}: an earlier tool's verdicts of ${JSON.stringify(finding.id)}, which count when its entries are taken over`;
        case 'earlier folder':
            return `${finding.file}/: ${finding.results} results of an earlier tool, a file each; the next run takes over what matches if the sample has no file of its own`;
        case 'stranger':
            return `${finding.file}: not made by a run; left alone`;
        case 'torn log':
            return `${finding.file}:${finding.line}: not a whole line (a run was killed while writing it); its entry is still in the result file`;
        case 'unusable':
            return `${finding.file}: ${finding.why}`;
        case 'archive damaged':
            return `archive.json: ${finding.why}`;
        case 'output damaged':
            return `${finding.file}: ${finding.why}; ${finding.where} names it: restore it from a copy, or run the task again with --rerun`;
        case 'output unnamed':
            return `${finding.file}: output that no entry names (a run was killed before it saved the entry)`;
        default:
            return unreachable(finding);
    }
}

function describeOutcome(isOfSample: boolean | null): string {
    switch (isOfSample) {
        case true:
            return 'the next run moves it aside and does its sample again';
        case false:
            return 'no sample of the dataset has this name, so that a run leaves it alone';
        case null:
            return 'a run whose dataset has a sample of this name moves it aside and does that again';
    }
}
