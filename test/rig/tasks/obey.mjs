/*
 * A task that does what its input says. Tests of backends and runs pass this module to `--executor module`.
 *   {do: 'answer', value}   returns {value}
 *   {do: 'return', result}  returns result
 *   {do: 'log', messages}   writes log lines
 *   {do: 'throw'}           throws
 *   {do: 'exit', code}      ends its worker
 *   {do: 'hang'}            blocks its thread forever
 *   {do: 'spin', ms}        blocks its thread for a while, using all CPU it can get, and answers
 *   {do: 'wait', ms}        answers after a while, or when its signal is aborted
 *   {do: 'sleep', ms}       answers after a while, whatever its signal says
 *   {do: 'await-file', file} answers once the file exists
 *   {do: 'heap'}            fills the heap
 *   {do: 'crash'}           dies by SIGSEGV
 *   {do: 'flaky', file}     throws on the first attempt
 *   {do: 'steps', names}    saves steps that do not exist yet, and answers with those that did
 */
import { appendFileSync, existsSync } from 'node:fs';

export default async function obey(task, context) {
    const order = task.input;
    if (order.mark !== undefined) appendFileSync(order.mark, `${task.id}/${task.group}/${task.index}\n`);
    switch (order.do) {
        case 'answer':
            return { value: order.value };
        case 'return':
            return order.result;
        case 'log':
            for (const message of order.messages) context.log(message);
            return {};
        case 'throw':
            throw new Error('told to throw');
        case 'exit':
            return process.exit(order.code ?? 3);
        case 'hang':
            for (;;);
        case 'spin':
            for (const until = performance.now() + order.ms; performance.now() < until; );
            return { spun: true };
        case 'wait':
            return new Promise((resolve) => {
                const timer = setTimeout(() => resolve({ waited: true }), order.ms);
                context.signal.addEventListener('abort', () => {
                    clearTimeout(timer);
                    resolve({ waited: false });
                });
            });
        case 'sleep':
            await new Promise((resolve) => setTimeout(resolve, order.ms));
            return { slept: true };
        case 'await-file':
            while (!existsSync(order.file)) await new Promise((resolve) => setTimeout(resolve, 50));
            return { waited: true };
        case 'heap': {
            const hold = [];
            for (;;) hold.push(Array.from({ length: 100_000 }, () => ({})));
        }
        case 'crash':
            process.kill(process.pid, 'SIGSEGV');
            return new Promise(() => {});
        case 'flaky':
            if (context.attempt === 1) throw new Error('only the second attempt succeeds');
            return { attempt: context.attempt };
        case 'steps': {
            const before = Object.keys(context.steps);
            for (const name of order.names)
                if (!before.includes(name)) await context.saveStep(name, { of: name });
            return { before };
        }
        default:
            return { value: null };
    }
}
