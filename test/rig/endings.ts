/*
 * Cleanup after each test. The files of a worker share their modules (vitest.config.ts), so an `afterEach` in a rig would only
 * take effect in the first file.
 */

const endings: (() => Promise<void> | void)[] = [];

/** Registers something to do when the current test is over. */
export function afterTest(end: () => Promise<void> | void): void {
    endings.push(end);
}

/** Does what has been registered, last first. */
export async function endTest(): Promise<void> {
    for (const end of endings.splice(0).reverse()) await end();
}
