import {
    type ExactJson,
    hasNumberTexts,
    isExactObject,
    parseExactJson,
    printExactJson,
} from '../../model/exact-json.js';
import { fillFields, listFields, findUnknownFields } from '../../model/field-template.js';
import type { Json, JsonObject } from '../../model/json.js';
import { type CellCoordinates, findFlaw, INSTANCE_GROUP, listOtherCoordinates } from '../../model/matrix.js';
import {
    countInstancesToRun,
    type MatrixFile,
    type PlannedCell,
    type PromptTemplates,
} from '../../model/matrix-file.js';
import type { DataInput } from '../../model/sample.js';
import { UserError } from '../../util/user-error.js';
import type { Field } from '../field.js';
import type { InstanceRow } from './matrix-rows.js';

/** Used for prompt types without templates of their own; `flawed` is used for those with a flaw. */
const DEFAULT_PROMPT = 'default';
const FLAWED_PROMPT = 'flawed';

/** Makes the tasks of a cell: the row's fields, the cell's coordinates, the instance number, and the filled prompt. */
export class InstanceBuilder {
    readonly #file: MatrixFile;
    /** All fields of the rows; null if there are no rows. */
    readonly #rowFields: ReadonlySet<string> | null;

    constructor(file: MatrixFile, rowFields: ReadonlySet<string> | null) {
        this.#file = file;
        this.#rowFields = rowFields;
    }

    /** The templates for the cell's prompt type; null if it has none. */
    findTemplates({ at }: PlannedCell): PromptTemplates | null {
        const { prompts } = this.#file;
        const own = String(at['prompt_type'] ?? DEFAULT_PROMPT);
        const names = [own, ...(findFlaw(at) === null ? [] : [FLAWED_PROMPT]), DEFAULT_PROMPT];
        const found = names.find((name) => Object.hasOwn(prompts, name));
        return found === undefined ? null : (prompts[found] ?? null);
    }

    /**
     * All fields that tasks of the cells have.
     * @throws UserError for a template that names an unknown field
     */
    collectFields(cells: readonly PlannedCell[]): ReadonlySet<string> {
        const all = new Set<string>(this.#rowFields ?? []);
        for (const cell of cells) {
            const templates = this.findTemplates(cell);
            const known = new Set([
                ...(this.#rowFields ?? []),
                ...Object.keys(listFacts(cell.at)),
                'instance',
            ]);
            for (const text of [templates?.template, templates?.system]) {
                const [unknown] = text === null || text === undefined ? [] : findUnknownFields([text], known);
                if (unknown === undefined) continue;
                throw new UserError(
                    `the prompt of ${cell.id} uses the field ${unknown}, which its rows lack; they have ${listFields(known)}. ` +
                        `Write {${unknown}} to get the literal text ${unknown}`,
                );
            }
            for (const name of known) all.add(name);
            all.add('system');
            if (templates !== null && templates.template !== null) all.add('prompt');
        }
        return all;
    }

    /** @param rows one row for each instance; null if the matrix has no rows */
    buildInstances(cell: PlannedCell, rows: readonly InstanceRow[] | null): readonly DataInput[] {
        return Array.from({ length: cell.instances }, (_, instance) =>
            this.#buildInstance(cell, instance, rows?.[instance] ?? null),
        );
    }

    #buildInstance(cell: PlannedCell, instance: number, asked: InstanceRow | null): DataInput {
        const row = asked?.row ?? null;
        const facts = listFacts(cell.at);
        const fields: ExactJson = { ...makeExactRow(row), ...facts, instance };
        const templates = this.findTemplates(cell);
        const fill = (template: string): string => {
            const filled = fillFields(
                template,
                { id: cell.id, group: INSTANCE_GROUP, index: String(instance), input: '' },
                fields,
            );
            if (filled.kind === 'filled') return filled.text;
            throw new UserError(
                `${row?.place ?? cell.id}: the prompt names {${filled.field}}, which this row does not have`,
            );
        };
        const exact: ExactJson = {
            ...fields,
            ...(templates === null || templates.template === null
                ? {}
                : { prompt: fill(templates.template) }),
            system: templates === null || templates.system === null ? '' : fill(templates.system),
        };
        const text = printExactJson(exact);
        const skip = this.#explainSkip(cell, instance);
        return {
            kind: 'data',
            data: JSON.parse(text) as Json,
            ...(hasNumberTexts(exact) ? { text } : {}),
            isRow: true,
            cell: {
                ...collectRecordedFacts(cell.at),
                instance: String(instance),
                ...(asked === null ? {} : { row_hash: asked.hash }),
            },
            ...(skip === null ? {} : { skip }),
        };
    }

    /** Why an instance does not run if it has no result yet. */
    #explainSkip(cell: PlannedCell, instance: number): string | null {
        if (instance >= cell.asked) return `beyond the ${cell.asked} instances that the last start asked for`;
        if (instance < countInstancesToRun(cell)) return null;
        return `counts as done: ${cell.imported} runs in ${this.#file.imported?.database ?? 'an earlier database'}`;
    }
}

/** Facts about a cell that templates and programs can use. */
function listFacts(at: CellCoordinates): Readonly<Record<string, string | number | boolean>> {
    const flaw = findFlaw(at);
    return { ...at, is_flawed: flaw !== null, flaw_type: flaw ?? '' };
}

/** Facts about a cell that are stored in records of the results database. */
function collectRecordedFacts(at: CellCoordinates): JsonObject {
    const flaw = findFlaw(at);
    const others = listOtherCoordinates(at);
    const standard = Object.entries(at).filter(([name]) => others === null || !Object.hasOwn(others, name));
    return {
        ...Object.fromEntries(standard),
        is_flawed: flaw !== null,
        ...(flaw === null ? {} : { flaw_type: flaw }),
        ...(others === null ? {} : { dimensions: { ...others } }),
    };
}

/** A row's fields with numbers exactly as written. */
function makeExactRow(row: Field | null): Readonly<Record<string, ExactJson>> {
    if (row === null) return {};
    const exact = parseExactJson(row.exactText() ?? JSON.stringify(row.object()));
    return isExactObject(exact) ? exact : {};
}
