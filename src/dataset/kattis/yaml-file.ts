import { readFile } from 'node:fs/promises';
import { Lexer, LineCounter, Parser, parseDocument, type YAMLParseError } from 'yaml';
import type { Json } from '../../model/json.js';
import { makeDatasetError } from '../dataset-error.js';
import { Field } from '../field.js';
import type { PackageFile } from './package-files.js';

/** The largest settings file seen in a real package has 30 KiB. Errors and lists cost milliseconds per KiB. */
const MAX_YAML_BYTES = 256 * 1024;
/** Nesting depth of maps and lists. Deep nesting can overflow the parser's stack and end the whole process. */
const MAX_YAML_DEPTH = 100;

/** Reads a YAML file whose top level is a map; an empty file is an empty map. @param place for messages */
export async function readYamlFile(file: PackageFile, place: string): Promise<Field> {
    return parseYaml(await readYamlText(file, place), place);
}

/** The text of a YAML file. @throws UserError if it must not be read or is too large */
export async function readYamlText(file: PackageFile, place: string): Promise<string> {
    if (file.refused !== null) throw makeDatasetError(`${place}: ${file.refused}`);
    if (file.size > MAX_YAML_BYTES) throw makeDatasetError(`${place}: is larger than 256 KiB`);
    return await readFile(file.path, 'utf8');
}

/** @throws UserError if the text is not YAML, or not a map */
export function parseYaml(text: string, place: string): Field {
    return readMap(text, place, 'core');
}

/** The same with every value as its text in the file, so that `10.0` does not become `10`. */
export function parseYamlAsWritten(text: string, place: string): Field {
    return readMap(text, place, 'failsafe');
}

function readMap(text: string, place: string, schema: 'core' | 'failsafe'): Field {
    const source = text.replace(/^\uFEFF/, '');
    if (isNestedDeeply(source))
        throw makeDatasetError(
            `${place}: maps and lists are nested in each other more than ${MAX_YAML_DEPTH} times`,
        );
    const lineCounter = new LineCounter();
    // Real packages repeat keys. The last one counts, as in most YAML readers.
    const options = { uniqueKeys: false, prettyErrors: false, lineCounter, schema } as const;
    let value: Json | undefined;
    try {
        const document = parseDocument(source, options);
        const [error] = document.errors;
        if (error !== undefined) throw new Error(describeYamlError(error, lineCounter));
        value = document.toJS() as Json | undefined;
    } catch (error) {
        const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
        throw makeDatasetError(`${place}: not valid YAML: ${why}`);
    }
    const top = Field.of({ top: value ?? {} }, place, null).get('top');
    return Field.of(top.object(), place, null);
}

/** Composing a document recurses at each level; this pass over its tokens does not. */
function isNestedDeeply(source: string): boolean {
    const parser = new Parser();
    for (const token of new Lexer().lex(source)) {
        for (const _ of parser.next(token)) {
            // Only the depth of the parser's stack matters here.
        }
        if (parser.stack.length > MAX_YAML_DEPTH) return true;
    }
    return false;
}

/** The library can add line numbers to its errors, but does so for each of what may be hundreds of thousands. */
function describeYamlError(error: YAMLParseError, lines: LineCounter): string {
    const { line, col } = lines.linePos(error.pos[0]);
    return `${error.message} at line ${line}, column ${col}`;
}
