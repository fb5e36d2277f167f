import type { JsonObject } from '../model/json.js';
import { getMessage } from '../util/message.js';
import { unreachable } from '../util/unreachable.js';
import type { TaskHost } from './backend.js';
import type { CallReply, TaskCall } from './worker/messages.js';

/** Serves one call of a worker's task; never rejects. @param host null if the task is gone */
export async function serveCall({ call, request }: TaskCall, host: TaskHost | null): Promise<CallReply> {
    try {
        if (host === null) throw new Error('the task has ended');
        return { type: 'reply', call, value: await serve(request, host), problem: null };
    } catch (error) {
        return { type: 'reply', call, value: null, problem: getMessage(error) };
    }
}

async function serve(request: TaskCall['request'], host: TaskHost): Promise<JsonObject | null> {
    switch (request.do) {
        case 'save-step':
            await host.saveStep({ name: request.name, value: request.value });
            return null;
        case 'ask':
            if (host.ask === undefined) throw new Error('bug in resume-run: nobody answers what a task asks');
            return host.ask(request.request);
        default:
            return unreachable(request, 'call');
    }
}
