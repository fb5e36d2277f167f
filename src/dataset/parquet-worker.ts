import { parentPort } from 'node:worker_threads';
import { getIoCode } from '../util/io-error.js';
import { getMessage } from '../util/message.js';
import type { ParquetRequest, ParquetResponse } from './packed/parquet-messages.js';
import { decodeGroups, describeFile, LargeGroupError } from './packed/read-parquet.js';

/*
 * The thread that decodes Parquet. A row group is decoded as a whole and may be large; in a thread, this neither blocks the run
 * for seconds nor uses up its heap.
 */

async function answer(request: ParquetRequest): Promise<ParquetResponse> {
    const { id } = request;
    try {
        if (request.kind === 'describe') {
            return {
                kind: 'described',
                id,
                rowsByGroup: await describeFile(request.file, request.maxGroupBytes),
            };
        }
        await decodeGroups(request.file, request.group, request.to);
        return { kind: 'decoded', id };
    } catch (error) {
        if (error instanceof LargeGroupError) return { kind: 'refused', id, why: error.message };
        return { kind: 'failed', id, why: getMessage(error), code: getIoCode(error) };
    }
}

parentPort?.on('message', (request: ParquetRequest) => {
    void answer(request).then((response) => parentPort?.postMessage(response));
});
