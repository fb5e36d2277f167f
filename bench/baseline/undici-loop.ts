import { Agent, request } from 'undici';

/*
 * Chat completions by undici alone: <base URL> <requests> <at once>. Each answer is read and parsed; nothing is planned, limited,
 * checked, counted or saved.
 */
const [url = '', ...numbers] = process.argv.slice(2);
const [requests = 0, atOnce = 1] = numbers.map(Number);

const dispatcher = new Agent({ connections: atOnce, pipelining: 1 });
const headers = { 'content-type': 'application/json', accept: 'application/json' };

let next = 0;
async function chain(): Promise<void> {
    while (next < requests) {
        const content = `question ${next++}`;
        const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], max_tokens: 20 });
        const answer = await request(`${url}/chat/completions`, {
            method: 'POST',
            dispatcher,
            headers,
            body,
        });
        const completion = (await answer.body.json()) as { readonly choices?: readonly unknown[] };
        if (answer.statusCode !== 200 || completion.choices?.length !== 1)
            throw new Error(`status ${answer.statusCode}`);
    }
}

await Promise.all(Array.from({ length: atOnce }, chain));
await dispatcher.close();
