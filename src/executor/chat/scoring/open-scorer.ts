import { unreachable } from '../../../util/unreachable.js';
import type { Task } from '../../../model/task.js';
import type { JudgeDescriptor } from '../../judge/judge-kind.js';
import type { ChatClient } from '../chat-client.js';
import { chooseLanguage } from './plan-scoring.js';
import type { ProgramJudge } from './program-judge.js';
import type { AnswerScorer, ScoringDescriptor } from './scoring.js';

/** What some scorers need besides their settings. */
export interface ScorerParts {
    /** The client for requests to the judge model. */
    readonly client: () => ChatClient;
    /** The prompt of the model under test. */
    readonly questionOf: (task: Task) => string;
    /** Seconds that a module may take for an answer. */
    readonly timeout: number;
}

/** Builds a scorer and loads only what it needs. @throws UserError if it cannot be built */
export async function openScorer(scoring: ScoringDescriptor, parts: ScorerParts): Promise<AnswerScorer> {
    const { scorer, expected, codeTimeout } = scoring;
    switch (scorer.kind) {
        case 'exact':
        case 'contains':
        case 'regex':
        case 'numeric':
            return (await import('./text-scorer.js')).createTextScorer(scorer, expected);
        case 'json-schema':
            return (await import('./json-schema-scorer.js')).createJsonSchemaScorer(scorer.file, expected);
        case 'module': {
            const { createModuleScorer } = await import('./module-scorer.js');
            return createModuleScorer(scorer, { expected, timeout: parts.timeout });
        }
        case 'model': {
            const { createModelScorer } = await import('./model-scorer.js');
            const { questionOf } = parts;
            const { model } = scorer;
            return createModelScorer(parts.client(), {
                model,
                prompt: scoring.judgePrompt,
                maxTokens: scoring.judgeMaxTokens,
                expected,
                questionOf,
            });
        }
        case 'code': {
            const { createCodeScorer } = await import('./code-scorer.js');
            return createCodeScorer(await openJudge(scoring.judge), {
                language: chooseLanguage(scorer),
                codeTimeout,
            });
        }
        case 'humaneval': {
            const { createHumanEvalScorer } = await import('./humaneval-scorer.js');
            return createHumanEvalScorer(await openJudge(scoring.judge), codeTimeout);
        }
        default:
            return unreachable(scorer, 'scorer');
    }
}

/** Loads the parts of a scorer, so that a run fails at start-up if one is missing. @throws UserError */
export async function checkScorer({ scorer, expected }: ScoringDescriptor): Promise<void> {
    if (scorer.kind === 'json-schema')
        (await import('./json-schema-scorer.js')).createJsonSchemaScorer(scorer.file, expected);
    if (scorer.kind === 'module')
        await (await import('./module-scorer.js')).createModuleScorer(scorer, { expected, timeout: 1 });
}

async function openJudge(descriptor: JudgeDescriptor | null): Promise<ProgramJudge> {
    if (descriptor === null) throw new Error('bug in resume-run: a scorer of programs without a judge');
    const { ProgramJudge } = await import('./program-judge.js');
    return new ProgramJudge(descriptor);
}
