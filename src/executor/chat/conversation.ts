import { join } from 'node:path';
import { ContentFolder } from '../../host/content-folder.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { OUTPUTS_FOLDER, makeOutputPath } from '../../model/output-file.js';
import type { Task } from '../../model/task.js';
import type { ExecutorContext } from '../executor.js';
import type { ChatClient } from './chat-client.js';
import type { ChatResult } from './chat-exchange.js';
import { type ChatCall, type ChatMessage, buildMessageBody, type PricedChatAnswer } from './chat-protocol.js';
import { answerTraced, completeTraced } from './spans.js';
import { readRequiredTools, type ToolAnswer, type ToolModule, ToolSimulator } from './tool-simulator.js';

/** A conversation in which a model may call tools. */
export interface ConversationOptions extends ToolModule {
    /** Most answers of the model. */
    readonly maxTurns: number;
    /** The results directory, where long conversations are stored. Absolute. */
    readonly dir: string;
    /** Id of the run, used in names of temporary files. */
    readonly holder: string;
}

/** Most bytes of messages that are stored in the entry itself; longer ones go to a file in `.outputs`. */
const MAX_INLINE_LENGTH = 16 * 1024;

/** The result of a conversation. */
export interface ConversationEnd {
    /** Of the last request. */
    readonly last: ChatResult<PricedChatAnswer>;
    /** Every answer received, including those of earlier attempts. */
    readonly answers: readonly PricedChatAnswer[];
    /** Fields of the result. Empty if there is no answer. */
    readonly fields: JsonObject;
    /** True if the model still called tools in its last turn. */
    readonly isUnfinished: boolean;
}

/** Runs conversations: requests a completion, lets the simulator answer the tool calls, and repeats. */
export class Conversations {
    readonly #client: ChatClient;
    readonly #options: ConversationOptions;
    readonly #folder: ContentFolder;
    #simulator: Promise<ToolSimulator> | null = null;

    constructor(client: ChatClient, options: ConversationOptions) {
        this.#client = client;
        this.#options = options;
        this.#folder = new ContentFolder(join(options.dir, OUTPUTS_FOLDER), options.holder);
    }

    /** Each turn is saved to disk before the next one is requested, so no later attempt repeats it. */
    async hold(call: ChatCall, task: Task, context: ExecutorContext): Promise<ConversationEnd> {
        this.#simulator ??= ToolSimulator.load(this.#options);
        const simulator = await this.#simulator;
        const messages: ChatMessage[] = [...call.messages];
        const answers: PricedChatAnswer[] = [];
        const executed: string[] = [];
        const errors: Record<string, number> = {};
        let failures = 0;
        for (let turn = 1; ; turn += 1) {
            const asked = { ...call, messages: [...messages], tools: simulator.definitions };
            const saved = savedTurn(task, turn);
            const last = saved ?? (await completeTraced(this.#client, asked, context));
            if (last.kind === 'failed' || last.kind === 'aborted')
                return { last, answers, fields: {}, isUnfinished: false };
            const { answer, endpoint } = last;
            if (answer !== null) {
                answers.push(answer);
                const content = answer.content ?? answer.refusal;
                messages.push({ role: 'assistant', content, toolCalls: answer.toolCalls });
            }
            const callsTools = last.kind === 'answered' && answer !== null && answer.toolCalls.length > 0;
            const isUnfinished = callsTools && turn >= this.#options.maxTurns;
            if (isUnfinished) count(errors, 'max_turns');
            if (!callsTools || isUnfinished) {
                const fields = {
                    ...(await this.#keep(messages)),
                    executed_tools: executed,
                    ...readRequiredTools(task),
                    tool_failures: failures,
                    ...errors,
                };
                return { last, answers, fields, isUnfinished };
            }
            if (saved === null)
                await context.saveStep?.(`turn-${turn}`, { endpoint, answer: asJson(answer) });
            for (const one of answer.toolCalls) {
                const at = { task, turn, number: executed.length };
                const said: ToolAnswer = await answerTraced(simulator, one, at, context);
                executed.push(one.name);
                if (said.error !== null) count(errors, said.error);
                if (said.hasFailed) failures += 1;
                messages.push({ role: 'tool', toolCallId: one.id, content: said.content });
            }
        }
    }

    /** @throws WriteError */
    async #keep(messages: readonly ChatMessage[]): Promise<JsonObject> {
        const list = messages.map(buildMessageBody);
        const bytes = Buffer.from(JSON.stringify(list));
        if (bytes.length <= MAX_INLINE_LENGTH) return { messages: list };
        const file = await this.#folder.add(bytes);
        return {
            messages_file: { path: makeOutputPath(file.sha256), bytes: file.bytes, sha256: file.sha256 },
        };
    }
}

/** Counters of the results database; other names count as `other_errors`. */
const COUNTERS: ReadonlySet<string> = new Set([
    'tool_call_format',
    'timeout',
    'dependency',
    'parameter_config',
    'tool_selection',
    'sequence_order',
    'max_turns',
]);

function count(errors: Record<string, number>, type: string): void {
    const name = `${COUNTERS.has(type) ? type : 'other'}_errors`;
    errors[name] = (errors[name] ?? 0) + 1;
}

const asJson = (answer: PricedChatAnswer): Json => JSON.parse(JSON.stringify(answer)) as Json;

/** The answer of a turn that an earlier attempt saved; null: there is none. */
function savedTurn(
    task: Task,
    turn: number,
): Extract<ChatResult<PricedChatAnswer>, { readonly kind: 'answered' }> | null {
    const step = task.steps?.[`turn-${turn}`];
    if (!isJsonObject(step) || !isAnswer(step['answer'])) return null;
    const { answer, endpoint } = step;
    return { kind: 'answered', answer, endpoint: typeof endpoint === 'string' ? endpoint : '', took: 0 };
}

/** Normally written by an earlier attempt, but a checkpoint may contain anything. */
function isAnswer(value: unknown): value is PricedChatAnswer {
    return isJsonObject(value) && Array.isArray(value['toolCalls']) && isJsonObject(value['usage']);
}
