const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Finds where one JSON object, array or string ends, in bytes that come in chunks. It tracks only brackets and strings: the end
 * is where JSON.parse would see it, and the content is checked when it is parsed.
 */
export class JsonEnd {
    #depth = 0;
    #inString = false;
    #escaped = false;

    /**
     * Continues in the next chunk of the same value; the first call starts at the value's first byte.
     * @returns the position after the value's last byte, after which a new value may begin; null: it goes on after this chunk
     */
    find(chunk: Buffer, from: number): number | null {
        for (let at = from; at < chunk.length; at += 1) {
            if (this.#inString) {
                at = this.#passString(chunk, at);
                if (this.#inString) return null;
                if (this.#depth === 0) return at + 1;
                continue;
            }
            const byte = chunk[at];
            if (byte === QUOTE) {
                this.#inString = true;
            } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
                this.#depth += 1;
            } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
                this.#depth -= 1;
                if (this.#depth === 0) return at + 1;
            }
        }
        return null;
    }

    /** From inside a string to its closing quote, or to the end of the chunk. Most bytes are skipped here. */
    #passString(chunk: Buffer, from: number): number {
        let at = from;
        if (this.#escaped) {
            this.#escaped = false;
            at += 1;
        }
        for (;;) {
            const quote = chunk.indexOf(QUOTE, at);
            const end = quote === -1 ? chunk.length : quote;
            let backslashes = 0;
            while (end - backslashes > at && chunk[end - backslashes - 1] === BACKSLASH) backslashes += 1;
            const escaped = backslashes % 2 === 1;
            if (quote === -1) {
                this.#escaped = escaped;
                return chunk.length;
            }
            if (!escaped) {
                this.#inString = false;
                return quote;
            }
            at = quote + 1;
        }
    }
}
