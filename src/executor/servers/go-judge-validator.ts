import { readFile } from 'node:fs/promises';
import type { CheckerProgram, StagedTest } from '../../model/sample.js';
import { type Feedback, FEEDBACK_FILES, toFeedback } from '../judge/feedback.js';
import { readHeaders } from '../judge/headers.js';
import { firstWords, getOutputBound, judgeError } from '../judge/judge-programs.js';
import type { Language } from '../judge/language.js';
import { findLanguageByFile } from '../judge/languages.js';
import { buildProgramLimits, CHECKER_MEMORY, CHECKER_TIME } from '../judge/limits.js';
import { WRITTEN } from '../judge/talk-rules.js';
import { RIGHT } from '../judge/validator.js';
import { asContents, type Built, compileCommands, listBuiltFiles } from './go-judge-program.js';
import { readSources, runArguments, type Sources } from './go-judge-program.js';
import { type GivenFile, type GoJudgeCommand, type Ran } from './go-judge-protocol.js';
import { MEND_FOLDERS, onlyFiles, runCommand } from './go-judge-run.js';
import type { EndpointTry, Step } from './session.js';

/** A problem's validator or interactor, in the form that servers run. */
export interface ServerValidator {
    readonly program: CheckerProgram;
    readonly language: Language;
    readonly sources: Sources;
}

/** Input of a validator in one pass. */
export interface ValidatorInput {
    readonly input: GivenFile;
    readonly answer: GivenFile;
    /** What the submission printed; null if the two run at once. */
    readonly output: GivenFile | null;
    /** The feedback folder of the previous pass; null in the first. */
    readonly state: GivenFile | null;
    /** Seconds that the submission may take meanwhile. */
    readonly waits: number;
}

const INPUT = 'resume-run.in';
const ANSWER = 'resume-run.ans';
const FOLDER = 'feedback';
const STATE = 'resume-run.tar';
const WAS_FIRST = 'resume-run.first';
export const NEXT_PASS = `${FOLDER}/nextpass.in`;

/** Seconds for which a validator's input is probed. */
const LOOK = 0.1;

/**
 * Starts a validator with its feedback folder. Servers do not say which of two programs ended first, so after a validator that
 * did not accept, the script probes its input: if reading does not end for a while, the submission is still running. The probe
 * may be late on a busy machine, so the running times of both must agree too: see `readLeft`.
 * @param accepting the exit code that means accepted
 * @param most maximum bytes handed on to the next pass
 */
const makeScript = (accepting: number, most: number): string => `${MEND_FOLDERS}
mkdir -p ${FOLDER}
if [ -f ${STATE} ]; then tar xf ${STATE}; rm -f ${NEXT_PASS}; fi
"$@"
code=$?
if [ $code != ${accepting} ]; then
    timeout ${LOOK} cat > /dev/null 2>&1
    if [ $? = 124 ]; then rm -rf ${WAS_FIRST}; : > ${WAS_FIRST}; fi
fi
${onlyFiles([NEXT_PASS, WAS_FIRST, STATE, ...[WRITTEN, ...FEEDBACK_FILES].map((name) => `${FOLDER}/${name}`)])}
tar cf ${STATE} ${FOLDER}
for file in ${NEXT_PASS} ${STATE}; do
    if [ -f ${NEXT_PASS} ] && [ "$(wc -c < $file)" -gt ${most} ]; then
        echo "$file is more than the ${most} bytes that a server hands on to the next pass" >&2
        exit 1
    fi
done
exit $code`;

/** @throws CheckerError if no server could run it; UserError if a folder of headers cannot be read */
export async function readServerValidator(
    program: CheckerProgram,
    table: ReadonlyMap<string, Language>,
    includeDirs: readonly string[],
): Promise<ServerValidator> {
    const [main] = program.files;
    const language =
        program.language === null ? findLanguageByFile(table, main.name) : table.get(program.language);
    if (language === undefined || language === null)
        throw judgeError(`the validator ${main.name} is in no language that servers run`);
    const sources = await readSources(program, language);
    const headers: Record<string, string> = {};
    for (const { host, name } of (await readHeaders(includeDirs)).files) {
        headers[name.slice(name.indexOf('/') + 1)] = await readFile(host, 'utf8');
    }
    return { program, language, sources: { ...sources, files: { ...headers, ...sources.files } } };
}

/**
 * Compiles a validator.
 * @param keep records what the server keeps
 * @throws CheckerError if its compiler refuses it
 */
export async function buildValidator(
    place: EndpointTry,
    { language, sources }: ServerValidator,
    uploaded: Built['copyIn'],
    keep: (ran: Ran) => void,
): Promise<Step<Built['copyIn']>> {
    const [command] = compileCommands(language, sources, uploaded);
    if (command === undefined) return { kind: 'done', value: { ...asContents(sources.files), ...uploaded } };
    const step = await runCommand(place, command);
    if (step.kind !== 'done') return step;
    const ran = step.value;
    keep(ran);
    const copyIn = listBuiltFiles(language, ran);
    if (ran.status === 'Accepted' && copyIn !== null) return { kind: 'done', value: copyIn };
    const said = firstWords(Buffer.from(ran.stderr || ran.stdout));
    if (ran.status === 'Nonzero Exit Status')
        throw judgeError(`the validator ${sources.main} does not compile on ${place.endpoint}: ${said}`);
    const message = `${place.endpoint}: the compiler of the validator ended with ${ran.status}`;
    return { kind: 'failed', failure: { reason: 'compiler', message }, retry: true };
}

/** The command that judges one pass of a test. */
export function buildServerValidatorCommand(
    { program, language, sources }: ServerValidator,
    copyIn: Built['copyIn'],
    test: StagedTest,
    given: ValidatorInput,
): GoJudgeCommand {
    const isInteractor = program.convention === 'testlib';
    const limits = buildProgramLimits(
        {
            time: program.time ?? CHECKER_TIME,
            memory: program.memory ?? CHECKER_MEMORY,
            output: getOutputBound(program),
        },
        language,
    );
    const command = runArguments(language, sources, program.memory ?? CHECKER_MEMORY, limits.stack);
    const args = isInteractor
        ? [INPUT, `${FOLDER}/${WRITTEN}`, ANSWER]
        : [INPUT, ANSWER, `${FOLDER}/`, ...program.flags, ...(test.checkerFlags ?? [])];
    const files = FEEDBACK_FILES.map((name) => `${FOLDER}/${name}?`);
    return {
        args: [
            '/bin/sh',
            '-c',
            makeScript(isInteractor ? 0 : RIGHT, limits.output),
            'sh',
            ...command,
            ...args,
        ],
        stdin: given.output,
        copyIn: {
            ...copyIn,
            [INPUT]: given.input,
            [ANSWER]: given.answer,
            ...(given.state === null ? {} : { [STATE]: given.state }),
        },
        keep: isInteractor ? [`${FOLDER}/${WRITTEN}?`] : [`${NEXT_PASS}?`, `${STATE}?`],
        send: [...files, `${WAS_FIRST}?`],
        // The shell and its children come on top.
        limits: { ...limits, wall: limits.wall + given.waits, processes: limits.processes + SHELL_PROCESSES },
    };
}

const SHELL_PROCESSES = 4;

/**
 * Reads what a validator left. @param submission running time in seconds of the other side of a talk; absent: the validator ran
 * alone
 */
export function readLeft(
    { files, fileIds, wall }: Ran,
    submission = 0,
): {
    readonly said: Feedback;
    /** In a talk: whether the submission was still running when the validator ended. */
    readonly wasFirst: boolean;
    /** Id of the file that an interactor wrote. */
    readonly written: string | null;
    readonly next: GivenFile | null;
    readonly state: GivenFile | null;
} {
    const packed = FEEDBACK_FILES.flatMap((name) => {
        const content = files[`${FOLDER}/${name}`];
        return content === undefined ? [] : [{ name, mode: 0o644, content: Buffer.from(content) }];
    });
    const asFile = (name: string): GivenFile | null => {
        const fileId = fileIds[name];
        return fileId === undefined ? null : { fileId };
    };
    return {
        said: toFeedback(packed),
        wasFirst: files[WAS_FIRST] !== undefined && wall - LOOK < submission,
        written: fileIds[`${FOLDER}/${WRITTEN}`] ?? null,
        next: asFile(NEXT_PASS),
        state: asFile(STATE),
    };
}
