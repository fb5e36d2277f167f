import { getMemoryBound, type Limits } from '../../model/limits.js';
import { makeTextContent } from '../../model/fingerprint.js';
import type { ProbeEnd } from '../judge/import-probe-source.js';
import type { Language } from '../judge/language.js';
import { buildProgramLimits } from '../judge/limits.js';
import {
    asContents,
    type Built,
    listBuiltFiles,
    compileCommands,
    readSources,
    runArguments,
    type Sources,
} from './go-judge-program.js';
import { type Ran, readRan } from './go-judge-protocol.js';
import { runCommand } from './go-judge-run.js';
import type { EndpointTry, Reading, Step } from './session.js';

/** Conditions for control programs that run in place of a submission. */
export interface ControlConditions {
    readonly language: Language;
    readonly limits: Limits;
    /** Records what the server keeps for it, to be deleted later. */
    readonly keep: (endpoint: string, ran: Ran) => void;
}

/** A control program on a server, ready to run unless its compiler refused it. */
interface ControlBuild {
    readonly sources: Sources;
    readonly copyIn: Built['copyIn'];
    /** How its compiler ended; null if there is nothing to compile. */
    readonly compiled: Ran | null;
}

/** Compiles a control program with the first command of its language. */
export async function buildControl(
    place: EndpointTry,
    { language, keep }: ControlConditions,
    code: string,
): Promise<Step<ControlBuild>> {
    const sources = await readSources(
        { files: [{ name: language.source, content: makeTextContent(code) }] },
        language,
    );
    const [command] = compileCommands(language, sources, {});
    if (command === undefined) {
        return { kind: 'done', value: { sources, copyIn: asContents(sources.files), compiled: null } };
    }
    const step = await runCommand(place, command);
    if (step.kind !== 'done') return step;
    keep(place.endpoint, step.value);
    const copyIn = listBuiltFiles(language, step.value) ?? {};
    return { kind: 'done', value: { sources, copyIn, compiled: step.value } };
}

/** Runs a control program without input, under the limits of the submission. @param read reads the answer */
export async function runControl(
    place: EndpointTry,
    { language, limits }: ControlConditions,
    { sources, copyIn }: ControlBuild,
    read: (body: Buffer) => Reading<Ran> = readRan,
): Promise<Step<Ran>> {
    const held = buildProgramLimits(limits, language);
    const args = runArguments(language, sources, getMemoryBound(limits), held.stack);
    return runCommand(place, { args, stdin: { content: '' }, copyIn, keep: [], limits: held }, read);
}

/** Runs a control program that looks for a module; a compiled one only has to compile. */
export async function runImportProbe(
    place: EndpointTry,
    conditions: ControlConditions,
    code: string,
): Promise<Step<ProbeEnd>> {
    const building = await buildControl(place, conditions, code);
    if (building.kind !== 'done') return building;
    const { compiled } = building.value;
    if (compiled !== null) {
        const complaint = compiled.status === 'Nonzero Exit Status' ? compiled.stderr : null;
        return { kind: 'done', value: { complaint, exitCode: null } };
    }
    const step = await runControl(place, conditions, building.value);
    if (step.kind !== 'done') return step;
    const { status, exitStatus } = step.value;
    const hasExited = status === 'Accepted' || status === 'Nonzero Exit Status';
    return { kind: 'done', value: { complaint: null, exitCode: hasExited ? exitStatus : null } };
}
