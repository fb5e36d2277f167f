import { type GoJudgeCommand, type Ran, readRan, runRequest } from './go-judge-protocol.js';
import type { EndpointTry, Reading, Step } from './session.js';

/*
 * A server runs one program after the other in the same container, and empties its folders between them, but leaves the
 * folders' own modes as a program set them: after `chmod 000 .` no later program finds its files. So what failed runs once
 * more behind a shell that puts the modes right, and that end counts.
 */

/** Lines of a shell script. */
export const MEND_FOLDERS = `for folder in "$PWD" /tmp; do
    [ -r "$folder" ] && [ -w "$folder" ] && [ -x "$folder" ] || chmod u+rwx "$folder"
done 2> /dev/null`;

/**
 * Lines of a shell script that remove what a server would be told to keep if it is not a file: a server that opens a pipe waits for
 * ever, and so does everybody who waits for that container.
 */
export const onlyFiles = (names: readonly string[]): string => `for file in ${names.join(' ')}; do
    [ -f "$file" ] || rm -rf "$file"
done 2> /dev/null`;

/** The command, in a container whose folders are fit for use. */
export const inMendedContainer = (command: GoJudgeCommand): GoJudgeCommand => ({
    ...command,
    args: ['/bin/sh', '-c', `${MEND_FOLDERS}\nexec "$@"`, 'sh', ...command.args],
    // One for chmod.
    limits: { ...command.limits, processes: command.limits.processes + 1 },
});

/** Whether a program ended as it would where an earlier one has spoilt its folders. */
export const mayBeSpoilt = ({ status }: Ran): boolean => status === 'Nonzero Exit Status';

/** Runs a command alone; one that fails, once more in a container that is put right. @param read looks at the end that counts */
export async function runCommand(
    place: EndpointTry,
    command: GoJudgeCommand,
    read: (body: Buffer) => Reading<Ran> = readRan,
): Promise<Step<Ran>> {
    let isDoubtful = false;
    const first = await place.exchange(runRequest(command), (body) => {
        const reading = readRan(body);
        isDoubtful = 'value' in reading && mayBeSpoilt(reading.value);
        return isDoubtful ? reading : read(body);
    });
    return isDoubtful ? place.exchange(runRequest(inMendedContainer(command)), read) : first;
}
