import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Task } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import { getInput } from '../task-input.js';
import type { ToolCall, ToolDefinition } from './chat-protocol.js';
import { checkRegularFile } from '../../util/regular-file.js';
import { readReason } from '../../util/io-error.js';

/** A module whose function answers the tools that a model calls. Its export `tools` lists what is offered. */
export interface ToolModule {
    /** Absolute. */
    readonly file: string;
    readonly exportName: string;
}

/** What the function of a tool module gets. */
export interface ToolRequest {
    readonly name: string;
    /** Parsed from what the model wrote. */
    readonly arguments: Json;
    /** The task's data: its row, its coordinates in a matrix. */
    readonly row: Json;
    /** Of the conversation, from 1. */
    readonly turn: number;
}

/** What a tool answered, and which counter of errors it raises; null: none. */
export interface ToolAnswer {
    readonly content: string;
    readonly error: string | null;
    /** Whether the tool failed, as its success rate has it. */
    readonly hasFailed: boolean;
}

/** Longest answer of a tool that a model is given, in characters. */
const MOST_CONTENT = 64 * 1024;

const definitions = z.array(
    z.object({
        name: z.string().min(1),
        description: z.string().optional(),
        parameters: z.record(z.string(), z.json()).default({ type: 'object', properties: {} }),
    }),
);

/** Answers the calls of tools by a module of the user. */
export class ToolSimulator {
    readonly definitions: readonly ToolDefinition[];
    readonly #call: (request: ToolRequest) => unknown;

    private constructor(offered: readonly ToolDefinition[], call: (request: ToolRequest) => unknown) {
        this.definitions = offered;
        this.#call = call;
    }

    /** @throws UserError when it cannot be loaded, or does not export what is needed */
    static async load({ file, exportName }: ToolModule): Promise<ToolSimulator> {
        const place = `--tool-module ${shortenPath(file)}`;
        let loaded: Record<string, unknown>;
        try {
            checkRegularFile(file);
            loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
        } catch (error) {
            throw new UserError(`${place}: cannot be loaded (${readReason(error)})`);
        }
        const call = loaded[exportName];
        if (typeof call !== 'function')
            throw new UserError(`${place}: exports no function named ${exportName}`);
        const offered = definitions.min(1).safeParse(loaded['tools']);
        if (!offered.success) {
            throw new UserError(
                `${place}: expected an export \`tools\`, a list of {name, description, parameters}, where parameters is a JSON Schema`,
            );
        }
        const tools = offered.data.map(({ name, description, parameters }) => ({
            name,
            ...(description === undefined ? {} : { description }),
            parameters,
        }));
        return new ToolSimulator(tools, call as (request: ToolRequest) => unknown);
    }

    /**
     * Answers one call. Whatever the model or the module does wrong is an answer that says so.
     * @param number of the call in its conversation: with the task it decides whether the tool fails, the same in every attempt
     */
    async answer(call: ToolCall, task: Task, turn: number, number: number): Promise<ToolAnswer> {
        if (!this.definitions.some(({ name }) => name === call.name))
            return failed(`there is no tool ${call.name}`, 'tool_selection');
        const row = getInput(task);
        const parsed = parseArguments(call.arguments);
        if (parsed === undefined) return failed('the arguments are not valid JSON', 'tool_call_format');
        // Bad luck of the tool is not an error of the model.
        if (drawsFailure(task, number, row)) return UNAVAILABLE;
        try {
            return parseAnswer(await this.#call({ name: call.name, arguments: parsed, row, turn }));
        } catch (error) {
            return failed(getMessage(error), 'other');
        }
    }
}

const failed = (message: string, error: string): ToolAnswer => ({
    content: JSON.stringify({ error: message }),
    error,
    hasFailed: false,
});

const UNAVAILABLE: ToolAnswer = {
    content: JSON.stringify({ error: 'the tool is not available, try again' }),
    error: null,
    hasFailed: true,
};

function parseArguments(text: string): Json | undefined {
    try {
        return JSON.parse(text.trim() === '' ? '{}' : text) as Json;
    } catch {
        return undefined;
    }
}

/** A result with `error_type` (`parameter_config`, `dependency`, `sequence_order`, ...) counts as an error of the model. */
function parseAnswer(value: unknown): ToolAnswer {
    const content = typeof value === 'string' ? value : (JSON.stringify(value ?? null) ?? 'null');
    const type = isJsonObject(value) ? value['error_type'] : undefined;
    return {
        content: content.slice(0, MOST_CONTENT),
        error: typeof type === 'string' ? type : null,
        hasFailed: false,
    };
}

/** Whether a tool fails by `tool_success_rate` of the task: drawn from the task and the number of the call. */
function drawsFailure({ fingerprint }: Task, number: number, row: Json): boolean {
    const rate = isJsonObject(row) ? row['tool_success_rate'] : undefined;
    if (typeof rate !== 'number') return false;
    const hash = createHash('sha256').update(`${fingerprint} ${number}`).digest().readUInt32BE(0);
    return hash / 2 ** 32 >= rate;
}

/** Names of the tools that a row requires, for the share of them that was called. */
export function readRequiredTools(task: Task): JsonObject {
    const row = getInput(task);
    const required = isJsonObject(row) ? row['required_tools'] : undefined;
    return Array.isArray(required) ? { required_tools: required } : {};
}
