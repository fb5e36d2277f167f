import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Started by endpoints.ts as a process of its own: `<servers> <milliseconds>`. Sends its ports to the parent. */
const [count = 1, latency = 0] = process.argv.slice(2).map(Number);

const ANSWER = JSON.stringify({
    status: 'Success',
    message: '',
    compile_result: null,
    run_result: { status: 'Finished', execution_time: 0.02, return_code: 0, stdout: 'hello\n', stderr: '' },
    executor_pod_name: null,
    files: {},
});

const RESPONSE = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`;

/** Calls `answer` for each whole request: a head, and as many bytes as it announces. By hand, or the servers would be what is measured. */
function serve(socket: Socket, answer: () => void): void {
    let waiting = Buffer.alloc(0);
    socket.on('data', (chunk) => {
        waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
        for (;;) {
            const head = waiting.indexOf('\r\n\r\n');
            if (head < 0) return;
            const announced = /\r\ncontent-length: *(\d+)/i.exec(waiting.toString('latin1', 0, head));
            const end = head + 4 + Number(announced?.[1] ?? 0);
            if (waiting.length < end) return;
            waiting = waiting.subarray(end);
            answer();
        }
    });
    socket.on('error', () => socket.destroy());
}

const ports = await Promise.all(
    Array.from({ length: count }, async () => {
        const server = createServer({ noDelay: true }, (socket) => {
            serve(socket, () => setTimeout(() => socket.writable && socket.write(RESPONSE), latency));
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return (server.address() as AddressInfo).port;
    }),
);
process.send?.(ports);
// Nothing is left behind if the parent dies.
process.once('disconnect', () => process.exit(0));
