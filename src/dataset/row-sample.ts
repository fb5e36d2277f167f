import { makeTextContent } from '../model/fingerprint.js';
import type { Checker, Content, DataInput, Judging, Sample, TaskInput, TestCase } from '../model/sample.js';
import { unreachable } from '../util/unreachable.js';
import { callFiles } from './calls/harness.js';
import type { Field } from './field.js';
import { describeFileContent, resolveReferencedFile } from './file-content.js';
import type {
    RowChecker,
    RowContent,
    RowFormat,
    RowJudging,
    RowProgram,
    RowTask,
    Text,
} from './row-content.js';

/** The location of a row, which its file names are relative to, and its name in messages. */
export interface RowPlace {
    /** Absolute folder of the dataset file. */
    readonly folder: string;
    /** `problems.jsonl:12` */
    readonly place: string;
}

/** The sample that a row describes, with all its content hashed. @throws UserError for files that are missing or not allowed */
export async function buildSample(row: RowContent, at: RowPlace, format: RowFormat): Promise<Sample> {
    const groups: [string, TaskInput[]][] = [];
    for (const [name, tasks] of row.groups) {
        const inputs: TaskInput[] = [];
        for (const task of tasks) inputs.push(await buildTask(task, at));
        groups.push([name, inputs]);
    }
    return {
        id: row.id,
        origin: at.place,
        groups: Object.fromEntries(groups),
        judging: row.judging === null ? null : await buildJudging(row.judging, at, format),
        skip: row.skip,
    };
}

/** Files beside the dataset, as named by a row; empty for most rows. */
export function listReferencedFiles(row: RowContent): readonly string[] {
    const texts: Text[] = [];
    for (const [, tasks] of row.groups) {
        for (const task of tasks) if (task.kind === 'program') texts.push(task.source);
    }
    for (const test of row.judging?.tests ?? []) texts.push(test.input, test.output);
    if (row.judging?.checker?.kind === 'program') texts.push(row.judging.checker.source);
    return texts.flatMap((text) => (typeof text === 'string' ? [] : [text.file]));
}

async function buildContent(text: Text, at: RowPlace): Promise<Content> {
    if (typeof text === 'string') return makeTextContent(text);
    return describeFileContent(await resolveReferencedFile(at.folder, text.file, at.place));
}

async function buildTask(task: RowTask, at: RowPlace): Promise<TaskInput> {
    switch (task.kind) {
        case 'data':
            return buildData(task.input);
        case 'program':
            return buildProgram(task, at);
        default:
            return unreachable(task);
    }
}

export function buildData(input: Field): DataInput {
    const text = input.exactText();
    return { kind: 'data', data: input.value ?? null, ...(text === null ? {} : { text }) };
}

async function buildProgram(program: RowProgram, at: RowPlace): Promise<TaskInput> {
    const { source, isCalled, ...rest } = program;
    if (isCalled === true) return { ...rest, files: callFiles(await buildContent(source, at)) };
    const name = typeof source === 'string' ? '' : (source.file.split('/').at(-1) ?? '');
    return { ...rest, files: [{ name, content: await buildContent(source, at) }] };
}

async function buildJudging(judging: RowJudging, at: RowPlace, format: RowFormat): Promise<Judging> {
    const tests: TestCase[] = [];
    for (const { name, input, output } of judging.tests) {
        tests.push({
            name,
            input: await buildContent(input, at),
            output: await buildContent(output, at),
            checkerFlags: null,
        });
    }
    const named =
        judging.checker?.kind === 'program' ? await buildChecker(judging.checker, at) : judging.checker;
    return {
        tests,
        checker: named ?? format.comparison,
        isFormatChecker: named === null,
        limits: judging.limits,
        ...(judging.namedFiles === undefined ? {} : { namedFiles: judging.namedFiles }),
        limitPolicy: format.limitPolicy,
        computedLimit: null,
    };
}

async function buildChecker(checker: RowChecker, at: RowPlace): Promise<Checker> {
    const { kind, convention, language, fileName, source, flags } = checker;
    const files = [{ name: fileName, content: await buildContent(source, at) }] as const;
    return { kind, convention, language, files, flags, time: null, memory: null };
}
