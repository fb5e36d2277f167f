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

/** A module whose function answers the tool calls of a model. Its export `tools` lists the available tools. */
export interface ToolModule {
    /** Absolute. */
    readonly file: string;
    readonly exportName: string;
}

/** Argument of a tool module's function. */
export interface ToolRequest {
    readonly name: string;
    /** Parsed from what the model wrote. */
    readonly arguments: Json;
    /** The task's data: its row, its coordinates in a matrix. */
    readonly row: Json;
    /** Turn of the conversation, from 1. */
    readonly turn: number;
}

/** The result of a tool, and the error counter that it increments; null: none. */
export interface ToolAnswer {
    readonly content: string;
    readonly error: string | null;
    /** Whether the tool failed because of its success rate. */
    readonly hasFailed: boolean;
}

/** Longest tool result that is passed to a model, in characters. */
const MAX_CONTENT_LENGTH = 64 * 1024;

const definitions = z.array(
    z.object({
        name: z.string().min(1),
        description: z.string().optional(),
        parameters: z.record(z.string(), z.json()).default({ type: 'object', properties: {} }),
    }),
);

/** Answers tool calls with a module of the user. */
export class ToolSimulator {
    readonly definitions: readonly ToolDefinition[];
    readonly #call: (request: ToolRequest) => unknown;

    private constructor(offered: readonly ToolDefinition[], call: (request: ToolRequest) => unknown) {
        this.definitions = offered;
        this.#call = call;
    }

    /** @throws UserError if the module cannot be loaded or lacks a required export */
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
     * Answers one call. Errors of the model or the module are reported in the answer.
     * @param number of the call in its conversation; together with the task it determines whether the tool fails, which is the
     * same in every attempt
     */
    async answer(call: ToolCall, task: Task, turn: number, number: number): Promise<ToolAnswer> {
        if (!this.definitions.some(({ name }) => name === call.name))
            return failed(`there is no tool ${call.name}`, 'tool_selection');
        const row = getInput(task);
        const parsed = parseArguments(call.arguments);
        if (parsed === undefined) return failed('the arguments are not valid JSON', 'tool_call_format');
        // A simulated failure of the tool is not an error of the model.
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
        content: content.slice(0, MAX_CONTENT_LENGTH),
        error: typeof type === 'string' ? type : null,
        hasFailed: false,
    };
}

/** Whether a tool fails because of the task's `tool_success_rate`; derived from the task and the number of the call. */
function drawsFailure({ fingerprint }: Task, number: number, row: Json): boolean {
    const rate = isJsonObject(row) ? row['tool_success_rate'] : undefined;
    if (typeof rate !== 'number') return false;
    const hash = createHash('sha256').update(`${fingerprint} ${number}`).digest().readUInt32BE(0);
    return hash / 2 ** 32 >= rate;
}

/** Names of the tools that a row requires, from which the share of them that was called is computed. */
export function readRequiredTools(task: Task): JsonObject {
    const row = getInput(task);
    const required = isJsonObject(row) ? row['required_tools'] : undefined;
    return Array.isArray(required) ? { required_tools: required } : {};
}
