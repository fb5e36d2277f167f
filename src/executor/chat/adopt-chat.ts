import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../util/user-error.js';
import { checkDescriptor, orNull } from '../check-descriptor.js';
import type { AdoptContext, AdoptedDescriptor, OwnEndpoints } from '../executor-kind.js';
import type { EndpointOptions } from '../descriptor.js';
import { adoptEndpoints, checkTokens, describeForWorkers } from '../servers/queued-endpoints.js';
import { planEndpoints } from './chat-endpoints.js';
import type { ChatDescriptor } from './chat-kind.js';
import type { ScoringDescriptor } from './scoring/scoring.js';

/*
 * Runs that query language models over a queue: workers make the requests with their own keys, at places that the run grants them.
 */

/** Concurrent requests in one worker process, if no user code runs there. */
const TASKS_IN_PROCESS = 16;

/** The descriptor as it is sent to workers. @throws UserError for an endpoint that only this machine can reach */
export function describeChat(descriptor: ChatDescriptor): { readonly kind: 'chat' } {
    const { scoring, tools, servers } = descriptor;
    return {
        ...descriptor,
        servers: describeForWorkers(servers),
        scoring: scoring === null ? null : { ...scoring, judge: null },
        tools: tools === null ? null : { ...tools, dir: null, holder: null },
    } as { readonly kind: 'chat' };
}

/** Fails at a worker's start if it has no endpoint or a key is missing. @throws UserError */
export function checkChatWorker({ endpoints }: AdoptContext): void {
    checkTokens(listOwn(endpoints));
}

function listOwn({ given, providers, apiKeyEnv }: OwnEndpoints): readonly EndpointOptions[] {
    if (given.length === 0 && providers.length === 0) {
        throw new UserError(
            'a worker uses only the services that it is started with: add --endpoint <base URL> or --provider',
        );
    }
    const config = {
        servers: { endpoints: given, limits: 'fixed', endpointWait: null },
        providers,
        apiKeyEnv,
        requestsPerMinute: null,
        tokensPerMinute: null,
    } as const;
    return planEndpoints(config, []).endpoints;
}

const TEXT = z.string().max(1_000_000);
const NAME = z.string().min(1).max(4096);
const SECONDS = z.number().positive();
const MODULE = z.looseObject({ file: NAME, exportName: orNull(NAME) });

const scoring = z.looseObject({
    scorer: z.discriminatedUnion('kind', [
        z.looseObject({ kind: z.enum(['exact', 'contains', 'regex', 'humaneval']) }),
        z.looseObject({ kind: z.literal('numeric'), tolerance: z.number().min(0) }),
        z.looseObject({ kind: z.literal('json-schema'), file: orNull(NAME) }),
        z.looseObject({ kind: z.literal('module'), ...MODULE.shape }),
        z.looseObject({ kind: z.literal('model'), model: NAME }),
        z.looseObject({ kind: z.literal('code'), language: orNull(NAME) }),
    ]),
    expected: TEXT,
    judgePrompt: TEXT,
    judgeMaxTokens: orNull(z.int().positive()),
    codeTimeout: SECONDS,
    fingerprint: NAME,
});

const chat = z.looseObject({
    kind: z.literal('chat'),
    sampling: z.looseObject({
        model: NAME,
        temperature: orNull(z.number()),
        topP: orNull(z.number()),
        maxTokens: orNull(z.int().positive()),
        seed: orNull(z.int()),
    }),
    promptTemplate: TEXT,
    system: orNull(TEXT),
    search: orNull(
        z.looseObject({ query: TEXT, engine: NAME, contentSize: NAME, count: z.int().min(1).max(1000) }),
    ),
    tools: orNull(z.looseObject({ ...MODULE.shape, maxTurns: z.int().min(1) })),
    scoring: orNull(scoring),
    servers: z.unknown(),
    timeout: SECONDS,
    timeouts: z
        .looseObject({ connect: orNull(SECONDS), firstByte: orNull(SECONDS), idle: orNull(SECONDS) })
        .optional(),
    stream: z.boolean().optional(),
    /** If bounded, the worker asks the run before each completion. */
    budget: z.strictObject({
        maxCost: z.number().positive().nullable(),
        maxTokens: z.number().positive().nullable(),
        spent: z.strictObject({ cost: z.number().min(0), tokens: z.number().min(0) }).optional(),
    }),
    prices: orNull(
        z.looseObject({
            date: z.string(),
            models: z.record(
                z.string(),
                z.looseObject({
                    input: z.number(),
                    cached: z.number().optional(),
                    output: z.number(),
                }),
            ),
            searches: z.record(z.string(), z.number().min(0)).optional(),
        }),
    ),
});

/** A run's prompts, sent by this worker. @throws UserError if this worker lacks the endpoints or may not run the run's modules */
export async function adoptChat(
    theirs: unknown,
    own: AdoptContext,
): Promise<AdoptedDescriptor<ChatDescriptor>> {
    const run = checkDescriptor(chat, theirs);
    refuseForeignCode(run, own);
    const dir = join(own.scratch, 'outputs');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { tools } = run;
    const runsModules = tools !== null || run.scoring?.scorer.kind === 'module';
    const judged = await adoptScoring(run.scoring as ScoringDescriptor | null, own);
    const descriptor: ChatDescriptor = {
        ...(run as object as ChatDescriptor),
        servers: adoptEndpoints(run.servers, listOwn(own.endpoints)),
        scoring: judged?.scoring ?? null,
        tools:
            tools === null
                ? null
                : {
                      file: tools.file,
                      exportName: tools.exportName ?? 'default',
                      maxTurns: tools.maxTurns,
                      dir,
                      holder: own.holder,
                  },
    };
    return {
        descriptor,
        outputs: dir,
        ...(judged?.languages === undefined ? {} : { languages: judged.languages }),
        ...(runsModules ? {} : { tasksInProcess: TASKS_IN_PROCESS }),
    };
}

/** Modules and files that a run names are used only if the worker was told to allow it. */
function refuseForeignCode(run: z.infer<typeof chat>, own: AdoptContext): void {
    const scorer = run.scoring?.scorer;
    const file =
        run.tools?.file ??
        (scorer?.kind === 'module' || scorer?.kind === 'json-schema' ? scorer.file : null) ??
        null;
    if (file !== null && !own.mayRunCommands)
        throw new UserError(`it uses a file of its own (${file}): start this worker with --allow exec`);
}

/** Programs in answers are judged in this worker's sandbox. */
async function adoptScoring(
    scoring: ScoringDescriptor | null,
    { judging, scratch }: AdoptContext,
): Promise<{ readonly scoring: ScoringDescriptor; readonly languages?: readonly string[] } | null> {
    if (scoring === null) return null;
    const { planJudge, runsPrograms } = await import('./scoring/plan-scoring.js');
    if (!runsPrograms(scoring.scorer)) return { scoring: { ...scoring, judge: null } };
    const { descriptor } = await planJudge(scoring.scorer, { judging, scratch });
    return { scoring: { ...scoring, judge: descriptor } };
}
