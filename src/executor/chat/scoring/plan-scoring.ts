import { createHash } from 'node:crypto';
import { type Scorer, formatScorer, NUMERIC_READING } from '../../../model/scorer.js';
import { readReason } from '../../../util/io-error.js';
import { readRegularFile } from '../../../util/regular-file.js';
import { shortenPath } from '../../../util/shown-path.js';
import { unreachable } from '../../../util/unreachable.js';
import { UserError } from '../../../util/user-error.js';
import type { PlanContext } from '../../executor-kind.js';
import type { JudgeDescriptor } from '../../judge/judge-kind.js';
import { languageByName } from './extract-code.js';
import type { ScoringConfig, ScoringDescriptor } from './scoring.js';

/** Bytes of a failed program's output that are kept with its score. */
const KEPT_OUTPUT = 1024;

/**
 * Prepares scoring: reads everything that affects scores, and looks for what programs need to run.
 * @returns also notices, such as one about a missing sandbox
 * @throws UserError if scoring cannot work here
 */
export async function planScoring(
    config: ScoringConfig,
    context: PlanContext,
): Promise<{ readonly scoring: ScoringDescriptor; readonly notices: readonly string[] }> {
    const fingerprint = fingerprintScoring(config);
    const judge = runsPrograms(config.scorer) ? await planJudge(config.scorer, context) : null;
    const scoring = { ...config, fingerprint, judge: judge?.descriptor ?? null };
    return { scoring, notices: judge?.notices ?? [] };
}

/** Whether every row must have the fields that `--expected` names. Other scorers can do without it. */
export function needsExpected(scorer: Scorer): boolean {
    switch (scorer.kind) {
        case 'exact':
        case 'contains':
        case 'regex':
        case 'numeric':
            return true;
        case 'json-schema':
            return scorer.file === null;
        case 'module':
        case 'model':
        case 'code':
        case 'humaneval':
            return false;
        default:
            return unreachable(scorer, 'scorer');
    }
}

/** Whether answers are programs that are run. */
export const runsPrograms = ({ kind }: Scorer): boolean => kind === 'code' || kind === 'humaneval';

/**
 * Scorers with the same fingerprint give the same score to the same answer of the same row. Files are identified by their
 * content.
 */
function fingerprintScoring({ scorer, expected, judgePrompt, codeTimeout }: ScoringConfig): string {
    const parts: unknown[] = ['v1', scorer.kind];
    switch (scorer.kind) {
        case 'exact':
        case 'contains':
        case 'regex':
            parts.push(expected);
            break;
        case 'numeric':
            parts.push(NUMERIC_READING, scorer.tolerance, expected);
            break;
        case 'json-schema':
            parts.push(scorer.file === null ? ['expected', expected] : ['file', digestText(scorer.file)]);
            break;
        case 'module':
            parts.push(digestText(scorer.file), scorer.exportName ?? 'default', expected);
            break;
        case 'model':
            parts.push(scorer.model, judgePrompt, expected);
            break;
        case 'code':
            parts.push(scorer.language, codeTimeout);
            break;
        case 'humaneval':
            parts.push(codeTimeout);
            break;
        default:
            unreachable(scorer, 'scorer');
    }
    return `score-v1-sha256-${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function digestText(file: string): string {
    try {
        return createHash('sha256').update(readRegularFile(file)).digest('hex');
    } catch (error) {
        throw new UserError(`--scorer: cannot read ${shortenPath(file)}: ${readReason(error)}`);
    }
}

/** The judge for programs in answers. @throws UserError if their language cannot run here */
export async function planJudge(
    scorer: Scorer,
    context: Pick<PlanContext, 'judging' | 'scratch'>,
): Promise<{ readonly descriptor: JudgeDescriptor; readonly notices: readonly string[] }> {
    const [{ readLocalOptions }, { findAvailableLanguages }] = await Promise.all([
        import('../../local-options.js'),
        import('../../judge/available.js'),
    ]);
    const { options, notices } = await readLocalOptions(context);
    const available = await findAvailableLanguages(options.languages, options.python2As3, options.sandbox);
    const language = chooseLanguage(scorer);
    if (language !== null && !available.has(language)) {
        throw new UserError(
            `--scorer ${formatScorer(scorer)}: no toolchain for ${language} (\`resume-run doctor\` has details)`,
        );
    }
    const kept = { allTests: false, keepOutput: 'failed', outputLimit: KEPT_OUTPUT } as const;
    return { descriptor: { kind: 'judge', ...options, ...kept }, notices };
}

/** Tag of the language of all programs; null: each answer names its own. */
export function chooseLanguage(scorer: Scorer): string | null {
    if (scorer.kind === 'humaneval') return 'PYTHON3';
    if (scorer.kind !== 'code' || scorer.language === null) return null;
    return languageByName(scorer.language) ?? scorer.language.toUpperCase();
}
