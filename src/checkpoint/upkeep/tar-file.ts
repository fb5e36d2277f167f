import { hashRange } from '../../host/hash-file.js';
import { openFile } from '../../host/open-file.js';

/** Where a file's bytes stand in a tar, and what they are. */
export interface TarContent {
    readonly offset: number;
    readonly size: number;
    readonly sha256: string;
}

const BLOCK = 512;

/**
 * Reads one of our tars back: each file's place and hash, in order.
 * @throws Error if it is incomplete
 */
export async function readTarContents(path: string): Promise<TarContent[]> {
    const handle = await openFile(path);
    try {
        const contents: TarContent[] = [];
        const header = Buffer.alloc(BLOCK);
        for (let at = 0; ; ) {
            const { bytesRead } = await handle.read(header, 0, BLOCK, at);
            if (bytesRead < BLOCK) throw new Error(`${path} ends in the middle, at byte ${at}`);
            if (header.every((byte) => byte === 0)) return contents;
            const size = Number.parseInt(header.toString('latin1', 124, 136), 8);
            if (!Number.isSafeInteger(size)) throw new Error(`${path} has a damaged header at byte ${at}`);
            const type = header.toString('latin1', 156, 157);
            const offset = at + BLOCK;
            // Others are extended headers (long names) of the file that follows.
            if (type === '0' || type === '\0') {
                contents.push({ offset, size, sha256: await hashRange(handle, offset, size) });
            }
            at = offset + Math.ceil(size / BLOCK) * BLOCK;
        }
    } finally {
        await handle.close();
    }
}
