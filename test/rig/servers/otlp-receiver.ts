import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector receives it. */
export interface ReceivedSpan {
    readonly traceId: string;
    readonly spanId: string;
    /** Empty for a root span. */
    readonly parentId: string;
    readonly name: string;
    /** 1: internal, 3: client. */
    readonly kind: number;
    /** Nanoseconds. */
    readonly start: bigint;
    readonly end: bigint;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly events: readonly {
        readonly name: string;
        readonly attributes: Readonly<Record<string, unknown>>;
    }[];
    /** 2: an error. */
    readonly status: number;
}

interface Received {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer;
}

/** A trace collector on loopback that reads OTLP over HTTP, in protobuf only, with its own decoder. */
export class OtlpReceiver {
    readonly requests: Received[] = [];
    /** If false, it accepts requests and never answers. */
    answers = true;
    readonly #server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
            const { url: path = '', headers } = request;
            this.requests.push({ path, headers, body: Buffer.concat(chunks) });
            if (this.answers) response.setHeader('content-type', 'application/x-protobuf').end();
        });
    });

    get url(): string {
        return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    }

    start(): Promise<void> {
        return new Promise((resolve) => {
            this.#server.listen(0, '127.0.0.1', resolve);
        });
    }

    async stop(): Promise<void> {
        const closed = new Promise((resolve) => this.#server.close(resolve));
        this.#server.closeAllConnections();
        await closed;
    }

    spans(): readonly ReceivedSpan[] {
        return this.requests.flatMap(({ body }) =>
            // ExportTraceServiceRequest > ResourceSpans > ScopeSpans > Span
            inside(body, 1).flatMap((resource) =>
                inside(resource, 2).flatMap((scope) => inside(scope, 2).map(spanOf)),
            ),
        );
    }
}

/** Source of the numbers: opentelemetry/proto/trace/v1/trace.proto */
function spanOf(bytes: Buffer): ReceivedSpan {
    const fields = fieldsOf(bytes);
    const one = (number: number): Buffer => blob(fields, number)[0] ?? Buffer.alloc(0);
    const status = blob(fields, 15)[0];
    return {
        traceId: one(1).toString('hex'),
        spanId: one(2).toString('hex'),
        parentId: one(4).toString('hex'),
        name: one(5).toString(),
        kind: Number(scalar(fields, 6)),
        start: scalar(fields, 7),
        end: scalar(fields, 8),
        attributes: attributesIn(blob(fields, 9)),
        events: blob(fields, 11).map((event) => ({
            name: inside(event, 2)[0]?.toString() ?? '',
            attributes: attributesIn(inside(event, 3)),
        })),
        status: status === undefined ? 0 : Number(scalar(fieldsOf(status), 3)),
    };
}

const attributesIn = (pairs: readonly Buffer[]): Record<string, unknown> =>
    Object.fromEntries(
        pairs.map((pair) => [inside(pair, 1)[0]?.toString() ?? '', valueOf(inside(pair, 2)[0])]),
    );

/** AnyValue: a text, a boolean, an integer, a double or a list. */
function valueOf(bytes: Buffer | undefined): unknown {
    const [field] = fieldsOf(bytes ?? Buffer.alloc(0));
    if (field === undefined) return null;
    const { number, value } = field;
    if (typeof value !== 'bigint') return number === 1 ? value.toString() : inside(value, 1).map(valueOf);
    if (number === 2) return value === 1n;
    if (number === 3) return Number(value);
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(value);
    return double.readDoubleLE();
}

interface Field {
    readonly number: number;
    readonly value: bigint | Buffer;
}

/** The fields of a message. Source: protobuf.dev/programming-guides/encoding */
function fieldsOf(bytes: Buffer): readonly Field[] {
    const fields: Field[] = [];
    let at = 0;
    const varint = (): bigint => {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            const byte = bytes.readUInt8(at++);
            value |= BigInt(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    };
    while (at < bytes.length) {
        const key = Number(varint());
        const number = key >> 3;
        switch (key & 7) {
            case 0:
                fields.push({ number, value: varint() });
                break;
            case 1:
                fields.push({ number, value: bytes.readBigUInt64LE(at) });
                at += 8;
                break;
            case 2: {
                const length = Number(varint());
                fields.push({ number, value: bytes.subarray(at, at + length) });
                at += length;
                break;
            }
            case 5:
                fields.push({ number, value: BigInt(bytes.readUInt32LE(at)) });
                at += 4;
                break;
            default:
                throw new Error(`no such wire type: ${key & 7}`);
        }
    }
    return fields;
}

const blob = (fields: readonly Field[], number: number): readonly Buffer[] =>
    fields.flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? field.value : []));

const inside = (bytes: Buffer, number: number): readonly Buffer[] => blob(fieldsOf(bytes), number);

const scalar = (fields: readonly Field[], number: number): bigint =>
    fields.flatMap((field) =>
        field.number === number && typeof field.value === 'bigint' ? field.value : [],
    )[0] ?? 0n;
