import { constants } from 'node:os';

/** The first name of each number; later ones are aliases (SIGIOT for SIGABRT). */
const SIGNAL_NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
    if (!SIGNAL_NAMES.has(number)) SIGNAL_NAMES.set(number, name);
}

/** `SIGSEGV` for 11; `SIG40` if the system has no name for the signal. */
export function nameSignal(signal: number): string {
    return SIGNAL_NAMES.get(signal) ?? `SIG${signal}`;
}
