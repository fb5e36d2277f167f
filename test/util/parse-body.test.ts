import { describe, expect, it } from 'vitest';
import { readChatAnswer } from '../../src/executor/chat/read-answer.js';
import { readChatStream } from '../../src/executor/chat/chat-stream.js';
import { parseBody } from '../../src/util/parse-body.js';

describe('JSON of a server', () => {
    const deep = Buffer.from('['.repeat(5_000_000) + ']'.repeat(5_000_000));
    const problem = { broken: 'the answer is nested more than 1000 levels deep (10000000 bytes)' };

    it('is refused before it is parsed where it has millions of levels', () => {
        const before = process.cpuUsage();
        expect(readChatAnswer(deep)).toEqual(problem);
        const { user, system } = process.cpuUsage(before);
        expect((user + system) / 1e6).toBeLessThan(2);
        const streamed = Buffer.concat([Buffer.from('data: '), deep]);
        expect(readChatStream(streamed, [])).toEqual({
            broken: 'the answer is nested more than 1000 levels deep (10000006 bytes)',
        });
    });

    it('may have brackets in its texts, and many lists side by side', () => {
        const value = {
            text: `${'['.repeat(2000)}"\\"${'{'.repeat(2000)}`,
            lists: Array.from({ length: 2000 }, () => [1, {}]),
        };
        expect(parseBody(Buffer.from(JSON.stringify(value)))).toEqual(value);
    });
});
