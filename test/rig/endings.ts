/*
 * What is to be done after each test. The files of a worker share their modules (vitest.config.ts), so a rig's own `afterEach` is
 * heard by the first file alone.
 */

const endings: (() => Promise<void> | void)[] = [];

/** Has something done when the test is over that runs now. */
export function afterTest(end: () => Promise<void> | void): void {
    endings.push(end);
}

/** Does what has gathered, the last first. */
export async function endTest(): Promise<void> {
    for (const end of endings.splice(0).reverse()) await end();
}
