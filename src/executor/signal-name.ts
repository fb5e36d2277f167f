import { constants } from 'node:os';

/** The first name of each: later ones are aliases (SIGIOT for SIGABRT). */
const SIGNAL_NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
    if (!SIGNAL_NAMES.has(number)) SIGNAL_NAMES.set(number, name);
}

/** `SIGSEGV` for 11; `SIG40` where the system has no name for it. */
export function nameSignal(signal: number): string {
    return SIGNAL_NAMES.get(signal) ?? `SIG${signal}`;
}
