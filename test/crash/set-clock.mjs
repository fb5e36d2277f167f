/*
 * Loaded before the program (NODE_OPTIONS=--import): its calendar is wrong by CRASH_CLOCK seconds, and jumps back by an hour
 * CRASH_JUMP milliseconds after the start, as if somebody had set the machine's clock.
 */
const off = Number(process.env.CRASH_CLOCK ?? 0) * 1000;
const jump = Number(process.env.CRASH_JUMP ?? Infinity);
const RealDate = Date;
const now = () => RealDate.now() + off - (performance.now() > jump ? 3_600_000 : 0);

globalThis.Date = class extends RealDate {
    constructor(...args) {
        if (args.length === 0) super(now());
        else super(...args);
    }

    static now() {
        return now();
    }
};
