import { type GoJudgeCommand, type Ran, readRan, runRequest } from './go-judge-protocol.js';
import type { EndpointTry, Reading, Step } from './session.js';

/*
 * A server runs one program after the other in the same container and empties its folders in between, but keeps the folders' own
 * modes as a program left them: after `chmod 000 .` no later program finds its files. So a failed command runs once more after a
 * shell has restored the modes, and that second result counts.
 */

/** Lines of a shell script that restore the modes. */
export const MEND_FOLDERS = `for folder in "$PWD" /tmp; do
    [ -r "$folder" ] && [ -w "$folder" ] && [ -x "$folder" ] || chmod u+rwx "$folder"
done 2> /dev/null`;

/**
 * Lines of a shell script that remove everything a server is told to keep that is not a file: a server that opens a pipe waits
 * forever, and so does everyone waiting for that container.
 */
export const onlyFiles = (names: readonly string[]): string => `for file in ${names.join(' ')}; do
    [ -f "$file" ] || rm -rf "$file"
done 2> /dev/null`;

/** The command, in a container whose folders are repaired first. */
export const inMendedContainer = (command: GoJudgeCommand): GoJudgeCommand => ({
    ...command,
    args: ['/bin/sh', '-c', `${MEND_FOLDERS}\nexec "$@"`, 'sh', ...command.args],
    // One for chmod.
    limits: { ...command.limits, processes: command.limits.processes + 1 },
});

/** Whether a program ended as if an earlier one had spoilt its folders. */
export const mayBeUnreliable = ({ status }: Ran): boolean => status === 'Nonzero Exit Status';

/** Runs a single command; if it fails, runs it once more in a repaired container. @param read reads the answer that counts */
export async function runCommand(
    place: EndpointTry,
    command: GoJudgeCommand,
    read: (body: Buffer) => Reading<Ran> = readRan,
): Promise<Step<Ran>> {
    let isDoubtful = false;
    const first = await place.exchange(runRequest(command), (body) => {
        const reading = readRan(body);
        isDoubtful = 'value' in reading && mayBeUnreliable(reading.value);
        return isDoubtful ? reading : read(body);
    });
    return isDoubtful ? place.exchange(runRequest(inMendedContainer(command)), read) : first;
}
